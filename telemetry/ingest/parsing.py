"""Lines of NDJSON become checked events; a bad line costs itself and no more."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings

from telemetry import values
from telemetry.events import EVENT_KINDS, EventKind, Row
from telemetry.fields import Instant, InvalidEvent, Text, Whole
from telemetry.importer.lines import BrokenLineError, Lines
from telemetry.importer.records import json_records
from telemetry.intake import stamped

EVENTS_MOST: Final = 1000
EVENT_ID: Final = Text(most=64)
KINDS: Final = " or ".join(EVENT_KINDS)


@dataclass(frozen=True, slots=True)
class Event:
    """One good line. `digest` is of what the client said, by which the same said again is known."""

    line: int
    event_id: str
    kind: str
    row: Row
    digest: bytes


@dataclass(frozen=True, slots=True)
class Rejection:
    """One line that is not stored: which field is at fault ('' for all of it) and why."""

    line: int
    event_id: str | None
    field: str
    message: str


@dataclass(slots=True)
class Parsed:
    """A body's lines, the good and the others."""

    events: list[Event] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


class TooManyEventsError(Exception):
    """A body of more lines than one request may bring."""


def parsed(body: bytes, *, now: datetime) -> Parsed:
    """Return the events of an NDJSON body; raises TooManyEventsError."""
    found, lines = Parsed(), Lines(io.BytesIO(body), end=len(body))
    for number, record in enumerate(json_records(lines, unique_keys=True), 1):
        if number > EVENTS_MOST:
            raise TooManyEventsError
        if isinstance(record, BrokenLineError):
            found.rejected.append(Rejection(lines.line, None, "", f"{record}"))
        else:
            assert isinstance(record, dict)
            take(found, record, lines.line, now)
    return found


def take(found: Parsed, record: dict[str, Any], line: int, now: datetime) -> None:
    """Put one record with the good lines or with the others."""
    event_id = None
    try:
        given = record.pop("event_id", None)
        event_id = EVENT_ID.check("event_id", given, now)
        kind = kind_named(record.pop("kind", None))
        found.events.append(event_of(kind, record, line, event_id, now))
    except InvalidEvent as error:
        found.rejected.append(Rejection(line, event_id, error.column, error.reason))


def kind_named(value: object) -> EventKind:
    """Return the kind of event that a record says it is; raises InvalidEvent."""
    kind = EVENT_KINDS.get(value) if isinstance(value, str) else None
    if kind is None:
        raise InvalidEvent("kind", f"kind is missing or unknown, give {KINDS}")
    return kind


def event_of(kind: EventKind, record: dict[str, Any], line: int, event_id: str, now: datetime) -> Event:
    """Return the event that a record describes; raises InvalidEvent.

    created_at is the client's where it says so, or follows from a job's moments, and is now otherwise. It may
    lie as far back as raw events are kept, no farther: what is older is a matter for import_events.
    """
    said = {name: read(kind, name, value) for name, value in record.items() if value is not None}
    row = kind.clean(stamped(kind.name, said, now), now=now)
    created_at: datetime = row[kind.columns.index("created_at")]
    if created_at < now - timedelta(days=settings.TELEMETRY_RETENTION_DAYS):
        raise InvalidEvent(
            "created_at",
            f"created_at is {created_at:%Y-%m-%dT%H:%M:%SZ}, the earliest here is"
            f" {settings.TELEMETRY_RETENTION_DAYS} days ago: bring it in with ./run manage import_events",
        )
    return Event(line, event_id, kind.name, row, digest_of(kind, said))


def read(kind: EventKind, name: str, value: object) -> object:
    """Return a JSON value in the type of its column; what is of no use stays, for the cleaner to refuse."""
    rule = kind.fields.get(name)
    if isinstance(rule, Instant) and isinstance(value, str):
        return instant(name, value)
    if isinstance(rule, Whole) and isinstance(value, Decimal):
        try:
            return values.whole(value)
        except values.BadValueError as error:
            raise InvalidEvent(name, f"{name} {error}") from None
    return value


def instant(name: str, value: str) -> datetime:
    """Return an ISO 8601 time in UTC; one without a zone as it is, for its rule to refuse."""
    if not values.MOMENT.fullmatch(value.strip()):
        shown = values.shown(value)
        raise InvalidEvent(name, f"{name} is {shown}, not an ISO 8601 time such as 2026-01-31T12:00:00Z")
    try:
        moment = datetime.fromisoformat(value.strip().replace(" Z", "Z").replace(" z", "Z").upper())
        return moment if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidEvent(name, f"{name} is {values.shown(value)}, a time that does not exist") from None


def digest_of(kind: EventKind, said: Mapping[str, object]) -> bytes:
    """Return the SHA-256 of what was said, whatever the order of keys and the spelling of times."""
    canonical = json.dumps([kind.name, sorted(said.items())], default=str, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()
