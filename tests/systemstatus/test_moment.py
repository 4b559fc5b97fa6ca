"""The minute that pages show: now, or a past one that was asked for, and never one that is not kept."""

from datetime import UTC, datetime, timedelta

import pytest

from systemstatus.grains import HOURS, MINUTES, TENS, ensure_partitions
from systemstatus.models import AlertTransition, TenMinutes
from systemstatus.moment import moment_of, understood
from tests.systemstatus.factories import make_alert, make_snapshot, snapshot, this_minute

NOW = datetime(2026, 11, 30, 14, 2, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "asked", ["2026-11-30T13:00", "2026-11-30 13:00", "2026-11-30T13:00Z", "2026-11-30 13:00 UTC"]
)
def test_a_utc_minute_is_understood_however_it_is_written(asked: str) -> None:
    assert understood(asked, NOW) == (datetime(2026, 11, 30, 13, tzinfo=UTC), "")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("yesterday", "is no minute"),
        ("2026-13-01T00:00", "is no minute"),
        ("<script>", "is no minute"),
        ("2026-11-30T14:03", "has not come yet"),
        ("9999-12-31T23:59", "has not come yet"),
        ("2024-01-01T00:00", "kept for 400 days"),
        ("0001-01-01T00:00", "kept for 400 days"),
    ],
)
def test_what_cannot_be_shown_is_said_and_now_shows(asked: str, why: str) -> None:
    at, problem = understood(asked, NOW)
    assert at == NOW
    assert why in problem


@pytest.mark.django_db
def test_a_past_minute_is_read_from_the_finest_grain_that_still_holds_it() -> None:
    now = this_minute()
    assert moment_of("", now).grain is MINUTES
    ages = ((timedelta(hours=46), MINUTES), (timedelta(days=3), TENS), (timedelta(days=200), HOURS))
    for ago, grain in ages:
        moment = moment_of(f"{now - ago:%Y-%m-%dT%H:%M}", now)
        assert moment.grain is grain
        assert moment.is_past
        assert moment.newest is None


@pytest.mark.django_db
def test_a_past_minute_shows_what_was_seen_then() -> None:
    now = this_minute()
    make_snapshot("redis", now, state="ok")
    make_snapshot("redis", now - timedelta(minutes=30), state="critical")
    moment = moment_of(f"{now - timedelta(minutes=29):%Y-%m-%dT%H:%M}", now)
    assert moment.rows["redis"].state == "critical"
    assert moment.age_s == 60
    assert moment_of("", now).rows["redis"].state == "ok"


@pytest.mark.django_db
def test_ten_minutes_old_is_not_late_in_the_grain_of_ten_minutes() -> None:
    now = this_minute()
    at = (now - timedelta(days=5)).replace(minute=10)
    ensure_partitions(at)
    row = snapshot("redis", at)
    TenMinutes.objects.create(module="redis", captured_at=at, state="ok", values=row.values)
    moment = moment_of(f"{at + timedelta(minutes=9):%Y-%m-%dT%H:%M}", now)
    assert moment.rows["redis"].state == "ok"
    assert not moment.is_old


@pytest.mark.django_db
def test_a_past_alert_is_as_bad_as_it_was_then_and_not_as_it_became() -> None:
    now = this_minute()
    alert = make_alert("cache.rtt", "redis", minutes=50, severity="critical", value=80, state="no_data",
                       acknowledged_by="ada", acknowledged_at=now - timedelta(minutes=5))  # fmt: skip
    for minutes, state, severity, value in ((50, "firing", "warning", 20), (30, "firing", "critical", 80),
                                            (10, "no_data", "critical", None)):  # fmt: skip
        AlertTransition.objects.create(
            alert=alert, occurred_at=now - timedelta(minutes=minutes), from_state="pending", to_state=state,
            severity=severity, value=value, message=f"{minutes} ago",
        )  # fmt: skip

    def then(minutes: int) -> tuple[str, str, float | None, str, str]:
        (one,) = moment_of(f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M}", now).alerts
        return one.state, one.severity, one.value, one.message, one.acknowledged_by

    assert then(40) == ("firing", "warning", 20, "50 ago", "")
    assert then(20) == ("firing", "critical", 80, "30 ago", "")
    assert then(4) == ("no_data", "critical", None, "10 ago", "ada")


@pytest.mark.django_db
def test_alerts_are_those_that_had_fired_and_were_open_then() -> None:
    now = this_minute()
    make_alert("cache.rtt", "redis", minutes=20)
    over = make_alert("db.lock_wait", "postgres", minutes=50)
    over.state, over.closed_at = "resolved", now - timedelta(minutes=40)
    over.save()

    def names(at: str) -> list[str]:
        return [alert.rule for alert in moment_of(at, now).alerts]

    assert names("") == ["cache.rtt"]
    assert names(f"{now - timedelta(minutes=45):%Y-%m-%dT%H:%M}") == ["db.lock_wait"]
    assert names(f"{now - timedelta(minutes=30):%Y-%m-%dT%H:%M}") == []
