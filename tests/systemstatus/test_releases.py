"""A start that brings something new is noted once; secrets are told apart and never told."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.db import OperationalError, connection
from django.db.models.signals import post_migrate

from systemstatus import releases
from systemstatus.audit import broken_links
from systemstatus.models import AuditEntry
from systemstatus.releases import note_migrations, note_start

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def first_release() -> Any:
    with (
        mock.patch.object(releases, "release", return_value="1.0+aaa") as running,
        mock.patch.object(releases, "others", []),
    ):
        yield running


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_the_same_release_with_the_same_settings_is_noted_once() -> None:
    note_start()
    note_start()
    assert actions() == ["deploy", "settings.change"]


def test_another_release_says_which_one_ran_before(first_release: mock.Mock) -> None:
    note_start()
    first_release.return_value = "1.1+bbb"
    note_start()
    newest = AuditEntry.objects.latest("id")
    assert (newest.action, newest.before, newest.after) == (
        "deploy",
        {"release": "1.0+aaa"},
        {"release": "1.1+bbb"},
    )


def test_a_changed_setting_is_noted_with_what_it_was(settings: Any) -> None:
    settings.TIERS = ["free", "pro"]
    note_start()
    settings.TIERS = ["free", "gold"]
    note_start()
    newest = AuditEntry.objects.latest("id")
    assert (newest.before or {})["TIERS"] == ["free", "pro"]
    assert (newest.after or {})["TIERS"] == ["free", "gold"]
    assert list(broken_links()) == []


def test_a_secret_that_changed_is_seen_to_have_changed_and_stays_secret(settings: Any) -> None:
    settings.ALERT_WEBHOOK_SECRET = ""
    note_start()
    for secret in ("whsec_first_secret", "whsec_other_secret"):
        settings.ALERT_WEBHOOK_SECRET = secret
        note_start()
    rows = AuditEntry.objects.filter(action="settings.change")
    told = [(row.after or {})["ALERT_WEBHOOK_SECRET"] for row in rows.order_by("id")]
    assert told[0] == "not set"
    assert len(set(told)) == 3
    kept = json.dumps([row.after for row in AuditEntry.objects.all()])
    assert "whsec_" not in kept
    assert settings.DATABASE_URL not in kept


def test_every_setting_that_is_told_exists(settings: Any) -> None:
    assert [name for name in releases.SHOWN + releases.SECRET if not hasattr(settings, name)] == []
    assert not set(releases.SHOWN) & set(releases.SECRET)


def test_a_database_that_does_not_answer_lets_the_process_start() -> None:
    with mock.patch.object(releases, "lock_chain", side_effect=OperationalError("gone")):
        note_start()
    assert actions() == []


@pytest.mark.django_db(transaction=True)
def test_processes_that_start_together_note_it_once() -> None:
    def start(_: int) -> None:
        try:
            note_start()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(start, range(8)))
    assert actions() == ["deploy", "settings.change"]


def step(app: str, name: str) -> Any:
    return SimpleNamespace(app_label=app, name=name)


def test_migrations_are_noted_by_name_those_taken_back_apart() -> None:
    config = apps.get_app_config("systemstatus")
    plan = [(step("costs", "0009_more"), False), (step("telemetry", "0004_less"), True)]
    post_migrate.send(sender=config, app_config=config, using="default", verbosity=0, plan=plan)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after) == (
        "migrate",
        {"applied": ["costs.0009_more"], "taken_back": ["telemetry.0004_less"]},
    )


def test_a_run_without_a_migration_and_the_one_that_makes_the_trail_are_no_changes() -> None:
    note_migrations(plan=[])
    note_migrations(plan=[(step("systemstatus", "0001_initial"), False), (step("costs", "0001"), False)])
    assert actions() == []
