"""What people do about alerts: acknowledge, silence, announce maintenance; each is audited.

The same asked twice, as a double click does, is done once.
"""

import re
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.db import transaction

from systemstatus.audit import lock_chain, record_audit
from systemstatus.models import Alert, AlertTransition, Maintenance, Quiet, Silence

Row = TypeVar("Row", bound=Quiet)

LONGEST_SILENCE: Final = timedelta(days=7)
LONGEST_MAINTENANCE: Final = timedelta(days=30)
FARTHEST_START: Final = timedelta(days=366)
# A start that was the next minute when it was typed may have come meanwhile.
TYPED_LATE: Final = timedelta(minutes=10)
MOST_IN_FORCE: Final = 200
STARS: Final = re.compile(r"\*+")
TWICE_WITHIN: Final = timedelta(seconds=60)


class ActionError(Exception):
    """Something that cannot be done as asked; field names the input, the message how to mend it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


def acknowledge(alert_id: int, *, actor: str, note: str, now: datetime) -> Alert:
    """Note that somebody takes care of an open alert: reminders stop until it is over or gets worse.

    Raises:
        ActionError: no note, no such open alert, or somebody acknowledged it before.
    """
    note = required("note", note, "Write a note: what you know, or what you will do.")
    with transaction.atomic():
        alert = Alert.objects.select_for_update().filter(pk=alert_id, closed_at=None).first()
        if alert is None:
            raise ActionError("alert", "This alert is over: there is nothing to acknowledge.")
        if (alert.acknowledged_by, alert.acknowledgement) == (actor[:80], note):
            return alert
        if alert.acknowledged_at:
            told = f"{alert.acknowledged_by} acknowledged it at {alert.acknowledged_at:%H:%M} UTC."
            raise ActionError("alert", told)
        alert.acknowledged_by, alert.acknowledged_at, alert.acknowledgement = actor[:80], now, note
        alert.save(update_fields=["acknowledged_by", "acknowledged_at", "acknowledgement"])
        AlertTransition.objects.create(
            alert=alert,
            occurred_at=now,
            from_state=alert.state,
            to_state=alert.state,
            severity=alert.severity,
            value=alert.value,
            message=f"Acknowledged: {note}"[:500],
            actor=actor[:80],
        )
        record_audit(actor=actor, action="alert.acknowledge", target=name_of(alert), reason=note)
    return alert


def silence(
    *,
    rule: str = "*",
    module: str = "*",
    target: str = "*",
    actor: str,
    reason: str,
    ends_at: datetime | None,
    now: datetime,
) -> Silence:
    """Keep notices of matching alerts back until a time, seven days from now at most; they still show.

    Raises:
        ActionError: without an end or a reason, with one too far or past, or when it would match everything.
    """
    until = checked_end(ends_at, now, LONGEST_SILENCE, "A silence")
    patterns = matcher(rule, module, target)
    if set(patterns.values()) == {"*"}:
        raise ActionError("rule", "Name a rule, a module or a target: a silence of everything hides outages.")
    row = Silence(starts_at=now, ends_at=until, **patterns)
    return kept(row, actor, reason, "alert.silence")


def add_maintenance(
    *,
    rule: str = "*",
    module: str = "*",
    target: str = "*",
    actor: str,
    reason: str,
    starts_at: datetime,
    ends_at: datetime | None,
    now: datetime,
) -> Maintenance:
    """Announce a window of work: no notices of what matches, and its time is no part of availability.

    Raises:
        ActionError: without an end or a reason, an end before its start, past, or over 30 days long; a start
            that lies back, for what was measured is not taken out of availability later, or a year ahead.
    """
    if starts_at < now - TYPED_LATE:
        raise ActionError("starts_at", "A maintenance window starts now or later: leave it empty for now.")
    if starts_at > now + FARTHEST_START:
        raise ActionError("starts_at", "A maintenance window starts within a year.")
    until = checked_end(ends_at, max(now, starts_at), LONGEST_MAINTENANCE, "A maintenance window")
    row = Maintenance(starts_at=starts_at, ends_at=until, **matcher(rule, module, target))
    return kept(row, actor, reason, "alert.maintenance")


def end_silence(silence_id: int, *, actor: str, now: datetime) -> Silence:
    """End a silence now; raises ActionError where it is over."""
    return ended(Silence, silence_id, actor, now, "alert.silence.end")


def end_maintenance(window_id: int, *, actor: str, now: datetime) -> Maintenance:
    """End a maintenance window now, or take back one to come; raises ActionError where it is over."""
    return ended(Maintenance, window_id, actor, now, "alert.maintenance.end")


def checked_end(ends_at: datetime | None, begins_at: datetime, longest: timedelta, what: str) -> datetime:
    """Return an end within bounds; raises ActionError for none and any other."""
    most = longest.days
    if ends_at is None:
        raise ActionError("ends_at", f"{what} needs an end, at most {most} days from its start: what is kept "
                          "quiet for ever is never looked at again.")  # fmt: skip
    if ends_at <= begins_at:
        raise ActionError("ends_at", f"{what} must end after it begins, and later than now (times are UTC).")
    if ends_at - begins_at > longest:
        raise ActionError("ends_at", f"{what} lasts {most} days at most; make a new one when it is over.")
    return ends_at


def matcher(rule: str, module: str, target: str) -> dict[str, str]:
    """Return the three patterns as they are stored; several '*' in a row are one."""
    most = {"rule": 80, "module": 40, "target": 200}
    typed = {"rule": rule, "module": module, "target": target}
    given = {name: STARS.sub("*", pattern.strip()) or "*" for name, pattern in typed.items()}
    for name, pattern in given.items():
        if len(pattern) > most[name] or not pattern.isprintable():
            raise ActionError(name, f"The {name} is at most {most[name]} printable characters.")
    return given


def kept(row: Row, actor: str, reason: str, action: str) -> Row:
    """Store a silence or a window with its reason, audited."""
    row.author, row.reason = actor[:80], required("reason", reason, "Say why: others will ask.")
    with transaction.atomic():
        lock_chain()  # one at a time, so that of two that are the same the second finds the first
        same = said_already(row)
        if same:
            return same
        in_force = type(row)._default_manager.filter(ends_at__gt=row.starts_at).count()
        if in_force >= MOST_IN_FORCE:
            raise ActionError("rule", f"{MOST_IN_FORCE} are in force already: end some first.")
        row.save(force_insert=True)
        record_audit(actor=actor, action=action, target=f"{row.pk}", after=as_json(row), reason=row.reason)
    return row


def said_already(row: Row) -> Row | None:
    """Return the row by which the same person said the same for the same time within the last minute."""
    names = ("rule", "module", "target", "author", "reason")
    told = type(row)._default_manager.filter(**{name: getattr(row, name) for name in names})
    near = (row.ends_at - TWICE_WITHIN, row.ends_at + TWICE_WITHIN)
    begun = (row.starts_at - TWICE_WITHIN, row.starts_at + TWICE_WITHIN)
    return told.filter(ends_at__range=near, starts_at__range=begun, ended_by="").order_by("-id").first()


def ended(model: type[Row], pk: int, actor: str, now: datetime, action: str) -> Row:
    """End a row that is not over, audited."""
    with transaction.atomic():
        row = model._default_manager.select_for_update().filter(pk=pk, ends_at__gt=now).first()
        if row is None:
            raise ActionError("id", "This is over already.")
        before = as_json(row)
        row.starts_at, row.ends_at, row.ended_by = min(row.starts_at, now), now, actor[:80]
        row.save(update_fields=["starts_at", "ends_at", "ended_by"])
        record_audit(actor=actor, action=action, target=f"{row.pk}", before=before, after=as_json(row))
    return row


def required(field: str, text: str, message: str) -> str:
    """Return a text in one piece; raises ActionError where there is none."""
    found = " ".join(text.split())[:500]
    if not found:
        raise ActionError(field, message)
    return found


def as_json(row: Quiet) -> dict[str, Any]:
    """Return a row as the audit trail keeps it."""
    times = {"starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat()}
    return {"rule": row.rule, "module": row.module, "target": row.target, **times}


def name_of(alert: Alert) -> str:
    """Return what an alert is called in the audit trail."""
    return " ".join(filter(None, (alert.rule, alert.module, alert.target)))[:120]
