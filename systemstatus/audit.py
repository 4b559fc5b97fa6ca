"""Adds to the audit trail, and checks its chain of seals."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection, transaction

from systemstatus.models import AuditEntry

FIRST: Final = "0" * 64
CHAIN_LOCK: Final = 7_160_233_915
PIECE: Final = 1000


def record_audit(
    *,
    actor: str,
    action: str,
    target: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Add an entry, in the caller's transaction: a change that is rolled back leaves none.

    Args:
        actor: who, as a sign-in or token name. action: what was done, as budget.save.
        target: to what. before, after: JSON values; money and times as strings. reason: as given.
    """
    with transaction.atomic():
        lock_chain()
        last = AuditEntry.objects.order_by("-id").first()
        entry = AuditEntry(
            occurred_at=datetime.now(UTC),
            actor=actor[:80],
            action=action[:40],
            target=target[:120],
            before=dict(before) if before is not None else None,
            after=dict(after) if after is not None else None,
            reason=reason[:500],
            previous_seal=last.seal if last else FIRST,
        )
        entry.seal = seal_of(entry)
        entry.save(force_insert=True)
    return entry


def lock_chain() -> None:
    """Let one transaction at a time add to the chain."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])


def seal_of(entry: AuditEntry) -> str:
    """Return the SHA-256, in hex, of the seal before and the entry's content as canonical JSON."""
    content = {
        "occurred_at": entry.occurred_at.astimezone(UTC).isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{entry.previous_seal}\n{text}".encode()).hexdigest()


@dataclass(frozen=True)
class Checked:
    """What a piece of the chain says: where it ends, how many entries it has, and those that do not hold."""

    last_id: int
    last_seal: str
    entries: int
    broken: list[tuple[int, str]]


def check_chain(after_id: int, previous: str, most: int) -> Checked:
    """Check up to so many entries after one whose seal is given."""
    broken, count = [], 0
    for entry in AuditEntry.objects.filter(pk__gt=after_id).order_by("pk")[:most]:
        if entry.previous_seal != previous:
            broken.append((entry.pk, "an entry before it is missing or was changed"))
        if seal_of(entry) != entry.seal:
            broken.append((entry.pk, "its content does not match its seal"))
        after_id, previous, count = entry.pk, entry.seal, count + 1
    return Checked(after_id, previous, count, broken)


def broken_links() -> Iterator[tuple[int, str]]:
    """Yield the entries at which the chain does not hold, each with what is wrong; reads piece by piece."""
    at = Checked(0, FIRST, 0, [])
    while (at := check_chain(at.last_id, at.last_seal, PIECE)).entries:
        yield from at.broken
