"""Stores what clients send exactly once: the ids and the events in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from telemetry.events import EVENT_KINDS
from telemetry.ingest.parsing import Event
from telemetry.partitions import ensure_partitions
from telemetry.ship import ship

PRUNED_AT_ONCE: Final = 5000

# Sorted, so that two requests with the same ids wait for each other in one order and never in a circle. The
# update changes nothing: it makes the statement wait for, lock and return the rows that were there before it.
CLAIM: Final = """
    INSERT INTO telemetry_ingested (client, event_id, digest)
    SELECT %s, event_id, digest FROM unnest(%s::text[], %s::bytea[]) AS given (event_id, digest)
    ORDER BY event_id COLLATE "C"
    ON CONFLICT (client, event_id) DO UPDATE SET client = excluded.client
    RETURNING event_id, digest, xmax = 0
"""
PRUNE: Final = """
    DELETE FROM telemetry_ingested WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM telemetry_ingested WHERE received_at < %s LIMIT %s FOR UPDATE SKIP LOCKED
    ))
"""


@dataclass(slots=True)
class Outcome:
    """What became of the events: stored now, stored before, or refused because the id has another body."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: list[Event] = field(default_factory=list)


def store_once(client: str, events: Sequence[Event]) -> Outcome:
    """Store the events whose ids this client has not sent before, and say what became of each.

    Once this returned (outside of a transaction), what it counts as accepted or duplicate is durable. The
    first event with an id decides its body, in the batch as across requests, however many send at once.
    Raises django.db.Error, after which nothing of this call is stored, or, where the answer to COMMIT was
    lost, all of it: sending it again settles that.
    """
    first: dict[str, Event] = {}
    for event in events:
        first.setdefault(event.event_id, event)
    make_partitions(first.values())
    with transaction.atomic():
        known = claim(client, first.values())
        fresh = [event for event in first.values() if known[event.event_id][1]]
        for kind in EVENT_KINDS:
            ship(kind, [event.row for event in fresh if event.kind == kind])
    outcome = Outcome(accepted=len(fresh))
    for event in events:
        if event.digest != known[event.event_id][0]:
            outcome.conflicts.append(event)
    outcome.duplicates = len(events) - outcome.accepted - len(outcome.conflicts)
    return outcome


def make_partitions(events: Iterable[Event]) -> None:
    """Make the partitions in a transaction of their own, so that no id is locked meanwhile."""
    days: dict[str, set[date]] = {}
    for event in events:
        place = EVENT_KINDS[event.kind].columns.index("created_at")
        days.setdefault(event.kind, set()).add(event.row[place].date())
    for kind, wanted in days.items():
        ensure_partitions(kind, wanted)


def claim(client: str, events: Iterable[Event]) -> dict[str, tuple[bytes, bool]]:
    """Put the ids in the ledger; return each one's digest there, and whether it is new."""
    wanted = list(events)
    ids, digests = [event.event_id for event in wanted], [event.digest for event in wanted]
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [client, ids, digests])
        return {event_id: (bytes(digest), is_new) for event_id, digest, is_new in cursor.fetchall()}


def prune(now: datetime) -> int:
    """Forget ids that came longer ago than raw events are kept; returns how many.

    An event that says when it was created is then too old to be taken again. In small transactions.
    """
    cutoff = now - timedelta(days=settings.TELEMETRY_RETENTION_DAYS)
    forgotten = 0
    while (now_gone := prune_some(cutoff)) == PRUNED_AT_ONCE:
        forgotten += now_gone
    return forgotten + now_gone


def prune_some(cutoff: datetime) -> int:
    """Forget some of the ids that came before a time, in one statement; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE, [cutoff, PRUNED_AT_ONCE])
        return int(cursor.rowcount)
