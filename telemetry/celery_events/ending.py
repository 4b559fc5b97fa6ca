"""Begins and ends the recording of a worker's processes: what is recorded gets shipped, within a bound."""

from typing import Any

from django.conf import settings

from telemetry.attempts import open_attempts
from telemetry.record import close


def begins(**details: Any) -> None:
    """Look after what processes of this machine left that were killed before: another child, another run."""
    from telemetry.lost import adopter  # models are not ready when this module is imported

    adopter.start()


def ends(**details: Any) -> None:
    """Ship what is recorded before the process leaves: a pool's child by os._exit, without other clean-up."""
    from telemetry.lost import adopter

    limit_s = getattr(settings, "TELEMETRY_CLOSE_S", 5)
    adopter.stop(limit_s)
    close(limit_s)
    open_attempts.close()
