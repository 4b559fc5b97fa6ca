"""Takes one event in: stamps it, checks it, keeps it; never raises, but says whether it is durable."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from telemetry.drops import drops
from telemetry.events import EVENT_KINDS, InvalidEvent, Row
from telemetry.interrupts import raised_by_signal
from telemetry.spool import SpoolError, append, serve


def record(kind: str, event: Mapping[str, Any]) -> bool:
    """Record an event; returns True only when it is durable. What is not recorded is counted by reason.

    What a signal handler raises meanwhile, such as a soft time limit, is the host's and goes on to it;
    the event is then there or not, as after any call without an answer.
    """
    try:
        append(kind, cleaned(kind, event))
    except (InvalidEvent, SpoolError) as error:
        count_drop(error)
        return False
    except Exception as error:
        if raised_by_signal(error):
            raise
        count_drop(error)
        return False
    return True


def cleaned(kind: str, event: Mapping[str, Any]) -> Row:
    """Return the event's row, created now unless the event says when; raises InvalidEvent."""
    now = datetime.now(UTC)
    # Asking for dict first saves most events the slow question whether an abstract class fits.
    readable = type(event) is dict or isinstance(event, Mapping)
    return EVENT_KINDS[kind].clean(stamped(kind, event, now) if readable else event, now=now)


def stamped(kind: str, event: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """Return the event with created_at: its own, what follows from a job's moments, or now."""
    if event.get("created_at") is None and not (kind == "job" and tells_its_end(event)):
        return {**event, "created_at": now}
    return event


def tells_its_end(event: Mapping[str, Any]) -> bool:
    """Return whether created_at follows from the other moments of a job."""
    if event.get("finished_at") is not None:
        return True
    return event.get("started_at") is not None and event.get("duration_ms") is not None


def count_drop(error: Exception) -> None:
    """Count an event that was not recorded, under one of few reasons, and have the count shown."""
    if isinstance(error, InvalidEvent):
        known = any(error.column in kind.columns for kind in EVENT_KINDS.values())
        drops.add(f"refused: {error.column if known else 'unknown column'}", error.reason)
    elif isinstance(error, SpoolError):
        drops.add(error.reason, str(error))
    else:
        drops.add(f"failed: {type(error).__name__}", str(error).strip())
    serve()  # it tells the others, also where nothing was ever kept
