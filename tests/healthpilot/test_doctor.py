"""The doctor: a line for each part, how to mend what is wrong, and an exit code that scripts can read."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from healthpilot import doctor

pytestmark = pytest.mark.django_db


def findings() -> dict[str, doctor.Finding]:
    """Return what the doctor finds, by part."""
    return {finding.part: finding for finding in doctor.examine()}


def test_services_that_answer_are_ok_with_their_versions() -> None:
    found = findings()
    assert found["database"].state == "ok"
    assert found["database"].seen.startswith("PostgreSQL 18")
    assert found["redis"].state == "ok"
    assert found["redis"].seen.startswith("valkey 9")
    assert found["migrations"] == doctor.Finding("migrations", "ok", "all applied", "")


def test_what_does_not_run_is_wrong_and_says_what_starts_it() -> None:
    found = findings()
    for part in ("web", "worker"):
        assert (found[part].state, found[part].mend) == ("wrong", "start everything with ./run up")


def test_a_bad_setting_is_wrong_with_its_check_id(settings: Settings) -> None:
    settings.COST_TIMEZONE = "Mars/Olympus"
    found = findings()["configuration"]
    assert found.state == "wrong"
    assert found.seen == "healthpilot.E001: COST_TIMEZONE='Mars/Olympus' is no time zone."
    assert "Europe/Berlin" in found.mend


def test_a_redis_out_of_reach_is_wrong_without_its_password(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:s3cret@127.0.0.1:1/0"
    found = findings()["redis"]
    assert found.state == "wrong"
    assert "redis://:***@127.0.0.1:1/0" in found.seen
    assert "s3cret" not in found.seen


def test_little_space_is_a_warning_and_none_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOW_SPACE_BYTES", 10**18)
    assert doctor.disk()[0] == "warning"
    monkeypatch.setattr("healthpilot.preparation.NEEDED_BYTES", 10**18)
    assert doctor.disk()[0] == "wrong"


def test_one_broken_part_does_not_keep_the_doctor_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("no such thing\nsecond line")

    monkeypatch.setattr("healthpilot.preparation.require_redis", broken)
    found = findings()
    assert (found["redis"].state, found["redis"].seen) == ("wrong", "no such thing")
    assert found["static files"].state == "ok"


def test_json_has_one_object_a_line_and_the_exit_code_says_that_something_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        call_command("doctor", json=True)
    assert caught.value.code == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {frozenset(line) for line in lines} == {frozenset({"part", "state", "seen", "mend"})}


def test_the_text_carries_sign_word_and_mend(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("doctor")
    lines = capsys.readouterr().out.splitlines()
    assert "✕ wrong   web: not running → start everything with ./run up" in lines
    assert any(line.startswith("✓ ok      database: PostgreSQL 18") for line in lines)
