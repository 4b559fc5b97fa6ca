"""What people do about alerts: refused politely where it would hide something, audited where it is done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from systemstatus.alerts import actions, queries
from systemstatus.alerts.actions import ActionError
from systemstatus.alerts.quiet import matches
from systemstatus.models import Alert, AuditEntry, Silence
from tests.systemstatus.alerts.cycles import MINUTE, NOON, Clock, finding, newest

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def silenced(**given: Any) -> Silence:
    usual: dict[str, Any] = {
        "rule": "db.*",
        "actor": "ann",
        "reason": "known",
        "ends_at": NOON + HOUR,
        "now": NOON,
    }
    return actions.silence(**usual | given)


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"ends_at": None}, "ends_at", "needs an end, at most 7 days"),
        ({"ends_at": NOON + timedelta(days=7, seconds=1)}, "ends_at", "7 days at most"),
        ({"ends_at": NOON}, "ends_at", "later than now"),
        ({"reason": " \n"}, "reason", "Say why"),
        ({"rule": "*"}, "rule", "hides outages"),
        ({"rule": " "}, "rule", "hides outages"),
        ({"rule": "**", "target": "***"}, "rule", "hides outages"),
        ({"target": "x" * 201}, "target", "200 printable"),
        ({"target": "a\0b"}, "target", "printable"),
    ],
)
def test_a_silence_that_would_hide_too_much_is_refused_by_field(
    given: dict[str, Any], field: str, why: str
) -> None:
    with pytest.raises(ActionError, match=why) as refused:
        silenced(**given)
    assert refused.value.field == field
    assert not Silence.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_silence_is_shown_audited_and_can_be_ended() -> None:
    row = silenced(ends_at=NOON + timedelta(days=7))
    Clock().cycles("critical", "critical", target="a[b]?")
    (line,) = queries.open_alerts(NOON + MINUTE)
    assert line.muted.startswith("silenced by ann until 2026-05-11 12:00 UTC: known")
    actions.end_silence(row.pk, actor="bob", now=NOON + MINUTE)
    assert queries.open_alerts(NOON + 2 * MINUTE)[0].muted == ""
    with pytest.raises(ActionError, match="over already"):
        actions.end_silence(row.pk, actor="bob", now=NOON + MINUTE)
    assert list(AuditEntry.objects.order_by("id").values_list("action", "actor")) == [
        ("alert.silence", "ann"),
        ("alert.silence.end", "bob"),
    ]


def test_a_target_is_matched_as_it_is_written() -> None:
    silenced(rule="*", target="a[b]?*")
    clock = Clock()
    for _ in range(2):
        clock.cycle(finding(target="a[b]?c"), finding(target="abx"))
    muted = {line.alert.target: bool(line.muted) for line in queries.open_alerts(clock.now)}
    assert muted == {"a[b]?c": True, "abx": False}


def test_maintenance_may_begin_later_and_mutes_only_then() -> None:
    actions.add_maintenance(
        module="postgres",
        actor="ann",
        reason="upgrade",
        starts_at=NOON + HOUR,
        ends_at=NOON + 2 * HOUR,
        now=NOON,
    )
    Clock().cycles("critical", "critical")
    assert queries.open_alerts(NOON + MINUTE)[0].muted == ""
    assert "upgrade" in queries.open_alerts(NOON + HOUR)[0].muted
    assert len(queries.maintenance_between(NOON, NOON + HOUR + MINUTE)) == 1
    assert queries.maintenance_between(NOON, NOON + HOUR) == []
    with pytest.raises(ActionError, match="30 days at most"):
        actions.add_maintenance(
            actor="ann", reason="x", starts_at=NOON, ends_at=NOON + timedelta(days=31), now=NOON
        )


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "why"),
    [
        (NOON - 30 * 24 * HOUR, NOON + HOUR, "starts now or later"),
        (datetime(1, 1, 1, tzinfo=UTC), NOON + HOUR, "starts now or later"),
        (datetime(9999, 12, 31, 22, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "within a year"),
    ],
)
def test_maintenance_neither_excuses_what_was_nor_lies_beyond_a_year(
    starts_at: datetime, ends_at: datetime, why: str
) -> None:
    with pytest.raises(ActionError, match=why):
        actions.add_maintenance(actor="ann", reason="x", starts_at=starts_at, ends_at=ends_at, now=NOON)


def test_maintenance_may_begin_with_the_minute_that_was_typed() -> None:
    row = actions.add_maintenance(
        actor="ann", reason="x", starts_at=NOON, ends_at=NOON + HOUR, now=NOON + 5 * MINUTE
    )
    assert row.starts_at == NOON


def test_an_acknowledgement_needs_a_note_is_given_once_and_ends_with_the_alert() -> None:
    clock = Clock()
    clock.cycles("critical", "critical")
    with pytest.raises(ActionError, match="Write a note"):
        actions.acknowledge(newest().pk, actor="ann", note=" ", now=clock.now)
    actions.acknowledge(newest().pk, actor="ann", note="on it", now=clock.now)
    with pytest.raises(ActionError, match="ann acknowledged it at"):
        actions.acknowledge(newest().pk, actor="bob", note="me too", now=clock.now)
    assert (newest().state, newest().severity) == ("firing", "critical")
    clock.cycles("ok", "ok")
    with pytest.raises(ActionError, match="is over"):
        actions.acknowledge(newest().pk, actor="bob", note="late", now=clock.now)
    clock.cycles("critical")
    assert newest().acknowledged_by == ""


def test_children_stand_below_what_explains_them() -> None:
    clock = Clock()
    for _ in range(2):
        clock.cycle(
            finding(),
            finding(rule="queue.oldest", module="dataqueue", caused_by="postgres"),
            finding(rule="cache.rtt", module="redis"),
        )
    tree = {line.alert.module: [c.alert.module for c in line.children] for line in queries.open_alerts(NOON)}
    assert tree == {"postgres": ["dataqueue"], "redis": []}
    assert queries.open_counts() == {"critical": 3, "warning": 0, "info": 0}


def test_lists_go_on_by_cursor_both_ways() -> None:
    clock = Clock()
    for _ in range(2):
        clock.cycle(finding(target=f"t{n}") for n in range(7))
    first = queries.timeline(cursor=None, limit=5)
    second = queries.timeline(cursor=first.next_cursor, limit=5)
    assert [row.pk for row in queries.timeline(cursor=second.previous_cursor, limit=5).rows] == [
        row.pk for row in first.rows
    ]
    assert len({row.pk for row in [*first.rows, *second.rows]}) == 10
    assert len(queries.history(cursor=None, module="postgres").rows) == Alert.objects.count() == 7


def test_the_oldest_unsent_message_counts_from_when_it_was_due(settings: Any) -> None:
    settings.ALERT_EMAIL_TO = ["ops@example.com"]
    clock = Clock()
    clock.cycles("critical", "critical")
    assert queries.oldest_unsent_s(clock.now) == 0
    assert queries.oldest_unsent_s(clock.now + 2 * MINUTE) == 90
    (state,) = queries.channel_states()
    assert (state.name, state.waiting, state.sent_at) == ("email", 1, None)


def test_only_a_star_stands_for_other_characters() -> None:
    alert = Alert(rule="db.xid_age", module="postgres", target="a")
    rules = ("db.*", "d?.xid_age", "[d]b.xid_age", "db.xid_age")
    told = [matches(Silence(rule=rule, module="*", target="*"), alert) for rule in rules]
    assert told == [True, False, False, True]
