"""Keeps groups of unhandled exceptions: takes in what a minute brought, and what people decide about them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from healthpilot.web.release import release
from systemstatus.audit import record_audit
from systemstatus.models import ErrorGroup, ErrorHour, StatusLease
from telemetry.errors import THE_REST, Group

DRAINED: Final = "errors"
# So many groups are kept apart; whatever else comes counts in one, until retention has made room.
MOST_GROUPS: Final = 1000
KEPT: Final = timedelta(days=90)
HOURS_KEPT: Final = timedelta(days=8)
LONGEST_MUTE: Final = timedelta(days=90)

UPSERT: Final = """
INSERT INTO status_error_groups AS known (fingerprint, type, message, place, route, method, release, sample,
    count, first_at, last_at, opened_at)
VALUES (%(fingerprint)s, %(type)s, %(message)s, %(place)s, %(route)s, %(method)s, %(release)s,
    %(sample)s::jsonb, %(count)s, %(at)s, %(at)s, %(at)s)
ON CONFLICT (fingerprint) DO UPDATE SET count = known.count + EXCLUDED.count,
    last_at = greatest(known.last_at, EXCLUDED.last_at), updated_at = clock_timestamp(),
    message = CASE WHEN EXCLUDED.sample = '{}' THEN known.message ELSE EXCLUDED.message END,
    sample = CASE WHEN EXCLUDED.sample = '{}' THEN known.sample ELSE EXCLUDED.sample END,
    release = EXCLUDED.release,
    opened_at = CASE WHEN known.state = 'resolved' THEN EXCLUDED.last_at ELSE known.opened_at END,
    state = 'open'
"""
COUNT: Final = """
INSERT INTO status_error_hours AS known (fingerprint, hour, count) VALUES (%s, %s, %s)
ON CONFLICT (fingerprint, hour) DO UPDATE SET count = known.count + EXCLUDED.count,
    updated_at = clock_timestamp()
"""


def absorb(minute: int, groups: Sequence[Group]) -> int:
    """Take in the groups of one minute (since 1970), once however often it is asked; returns the exceptions.

    What is beyond the bound of groups is counted in '(others)'.
    """
    at = datetime.fromtimestamp(minute * 60, UTC)
    with transaction.atomic():
        if not take(at):
            return 0
        known = set(ErrorGroup.objects.values_list("fingerprint", flat=True)[: MOST_GROUPS + 1])
        for group in groups:
            if group.fingerprint not in known and (group.sample is None or len(known) >= MOST_GROUPS):
                group = Group(THE_REST, group.count, None)
            known.add(group.fingerprint)
            store(group, at)
    return sum(group.count for group in groups)


def take(at: datetime) -> bool:
    """Take a minute; False where it was taken in already."""
    StatusLease.objects.get_or_create(name=DRAINED)
    row = StatusLease.objects.select_for_update().get(name=DRAINED)
    if row.minute and timedelta() <= row.minute - at < timedelta(hours=2):
        return False
    StatusLease.objects.filter(name=DRAINED).update(minute=at, done_at=timezone.now())
    return True


def last_drained() -> int:
    """Return the newest minute (since 1970) that was taken in; 0 before the first."""
    minute = StatusLease.objects.filter(name=DRAINED).values_list("minute", flat=True).first()
    return int(minute.timestamp()) // 60 if minute else 0


def store(group: Group, at: datetime) -> None:
    """Add one group's count to what is known of it."""
    sample = group.sample
    values: dict[str, Any] = {
        "fingerprint": group.fingerprint,
        "type": sample.type if sample else THE_REST,
        "message": sample.message if sample else "Exceptions beyond the number of groups that is kept.",
        "place": sample.place if sample else "",
        "route": (sample.route if sample else "")[:200],
        "method": sample.method if sample else "",
        "release": release()[:80],
        "sample": json.dumps({"frames": sample.frames, "message": sample.message} if sample else {}),
        "count": group.count,
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, values)
        cursor.execute(COUNT, [group.fingerprint, at.replace(minute=0), group.count])


def resolve(fingerprint: str, *, actor: str) -> ErrorGroup:
    """Say that a group is seen to; it opens itself when it occurs again. Raises ErrorGroup.DoesNotExist."""
    return change(fingerprint, "error.resolve", actor, state="resolved", resolved_by=actor[:80],
                  resolved_at=timezone.now())  # fmt: skip


def reopen(fingerprint: str, *, actor: str) -> ErrorGroup:
    """Take back that a group was resolved. Raises ErrorGroup.DoesNotExist."""
    return change(fingerprint, "error.reopen", actor, state="open", resolved_by="", resolved_at=None)


def mute(fingerprint: str, *, until: datetime, actor: str, reason: str) -> ErrorGroup:
    """Have a group raise no alert until a time; it is counted and shown all the same.

    Raises:
        ErrorGroup.DoesNotExist: there is no such group. ValueError: no reason, or a time that cannot be.
    """
    now = timezone.now()
    if not now < until <= now + LONGEST_MUTE:
        raise ValueError(f"Choose a time within the next {LONGEST_MUTE.days} days.")
    if not reason.strip():
        raise ValueError("Write why nobody needs to be told.")
    return change(fingerprint, "error.mute", actor, muted_until=until, muted_by=actor[:80],
                  reason=reason.strip()[:300])  # fmt: skip


def unmute(fingerprint: str, *, actor: str) -> ErrorGroup:
    """Have a group raise alerts again. Raises ErrorGroup.DoesNotExist."""
    return change(fingerprint, "error.unmute", actor, muted_until=None, muted_by="", reason="")


def change(fingerprint: str, action: str, actor: str, **fields: Any) -> ErrorGroup:
    """Change a group and note who did, in one transaction; what is so already is not changed again."""
    with transaction.atomic():
        group = ErrorGroup.objects.select_for_update().get(pk=fingerprint)
        if all(is_near(getattr(group, name), value) for name, value in fields.items()):
            return group
        before = {name: as_text(getattr(group, name)) for name in fields}
        for name, value in fields.items():
            setattr(group, name, value)
        group.updated_at = timezone.now()
        group.save(update_fields=[*fields, "updated_at"])
        after = {name: as_text(value) for name, value in fields.items()}
        record_audit(actor=actor, action=action, target=str(group)[:120], before=before, after=after,
                     reason=str(fields.get("reason", "")))  # fmt: skip
    return group


def is_near(one: Any, other: Any) -> bool:
    """Say whether two values are the same; times within a minute are, as a double click makes them."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) < timedelta(minutes=1)
    return bool(one == other)


def as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value or "")


def prune(now: datetime) -> None:
    """Remove groups that have not occurred for 90 days, and hours past the eight days that are drawn."""
    ErrorGroup.objects.filter(last_at__lt=now - KEPT).delete()
    ErrorHour.objects.filter(hour__lt=now - HOURS_KEPT).delete()
