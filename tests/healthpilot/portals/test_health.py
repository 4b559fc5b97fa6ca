"""What outside monitors are told."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from healthpilot.portals import health
from systemstatus.collector import collect_snapshot
from tests.systemstatus.watched import module, only, probe

pytestmark = pytest.mark.django_db(transaction=True)


def answer(client: Client, path: str) -> tuple[int, str]:
    got = client.get(path)
    assert "no-store" in got["Cache-Control"]
    assert (got.status_code == 503) == ("Retry-After" in got)
    return got.status_code, got.content.decode().strip()


def test_it_is_ready_while_the_database_answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(client, "/healthz/ready") == (200, "ready")

    def gone() -> None:
        raise OperationalError("connection refused: secret-host")

    monkeypatch.setattr(health, "ask_database", gone)
    assert answer(client, "/healthz/ready") == (503, "PostgreSQL does not answer")


@pytest.mark.parametrize(
    ("minutes", "status", "word"), [(0, 200, "ok"), (3, 200, "late"), (6, 503, "late")], ids=str
)
def test_the_collector_is_well_late_or_gone(client: Client, minutes: int, status: int, word: str) -> None:
    with only(module("one", probe({"a": 1}))):
        collect_snapshot(timezone.now() - timedelta(minutes=minutes))
    got = answer(client, "/healthz/collector")
    assert got[0] == status
    assert got[1].startswith(f"{word}: the newest snapshot is ")


def test_without_any_snapshot_it_is_not_well(client: Client) -> None:
    assert answer(client, "/healthz/collector") == (503, "nothing was collected yet")
