"""Stamps a message with when it was queued and for whom, and reads the stamp where the task runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from telemetry.celery_events.whose import FROM_PARENT, HEADER, owners_in, publishing
from telemetry.drops import drops

QUEUED_AT: Final = "queued_at"


def stamp(headers: Any = None, **details: Any) -> None:
    """Put the time and the owner in a message that is about to be sent, also when a retry sends it again."""
    try:
        if isinstance(headers, dict):
            headers[HEADER] = mark(headers.get(HEADER))
    except Exception as error:
        drops.warn("a task was published without its stamp", f"{type(error).__name__}: {error}")


def mark(given: Any) -> dict[str, Any]:
    """Return the stamp: what the publisher says of the owner, what it inherits, and now."""
    here = publishing.get()
    stamped: dict[str, Any] = {**here.said, **owners_in(given)}
    before = given.get(FROM_PARENT) if isinstance(given, Mapping) else None
    if inherited := here.inherited or owners_in(before):
        stamped[FROM_PARENT] = inherited
    stamped[QUEUED_AT] = datetime.now(UTC).isoformat()
    return stamped


def mark_of(request: Any) -> Mapping[str, Any]:
    """Return the stamp of a running task's message, empty where its publisher set none.

    An eager task has no message: what its caller says is taken where it runs.
    """
    found = (request.headers or {}).get(HEADER)
    if request.is_eager:
        return mark(found)
    return found if isinstance(found, Mapping) else {}


def queued_at(request: Any, stamped: Mapping[str, Any]) -> datetime | None:
    """Return since when the task could have run: since it was published, or its countdown or ETA was over.

    A publisher without telemetry sets no stamp; then the message's own time counts where the broker keeps
    one, else the ETA, else the wait is not known.
    """
    sent = moment(stamped.get(QUEUED_AT)) or moment((request.properties or {}).get("timestamp"))
    due = moment(request.eta)
    return max(sent, due) if sent and due else sent or due


def moment(value: Any) -> datetime | None:
    """Return a time as a message may carry it (ISO 8601, seconds since 1970) in UTC, None for garbage."""
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
