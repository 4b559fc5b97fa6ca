"""Begins and ends the recording of a worker's processes: what is recorded gets shipped, within a bound."""

from typing import Any

from django.conf import settings

from telemetry import spool
from telemetry.attempts import open_attempts
from telemetry.record import close


def begins(**details: Any) -> None:
    """Look after what processes of this machine left that were killed before: another child, another run."""
    spool.serve()


def ends(**details: Any) -> None:
    """Ship what is recorded before the process leaves: a pool's child by os._exit, without other clean-up."""
    limit_s = getattr(settings, "TELEMETRY_CLOSE_S", 5)
    close(limit_s)
    open_attempts.close()
