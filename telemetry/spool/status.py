"""What a process tells of its part of the spool: a small file beside its segments, for whoever asks."""

import json
import os
import socket
import time
from contextlib import suppress
from typing import Any, Final

from django.conf import settings

from telemetry.drops import dropped_events
from telemetry.spool.aside import write
from telemetry.spool.folder import STATUS
from telemetry.spool.writer import Writer

EVERY_S: Final = 2.0
AT_LEAST_EVERY_S: Final = 20.0


class Status:
    """Writes the file when something changed, at most every two seconds."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._started_at = time.time()
        self._told: dict[str, Any] = {}
        self._told_at = -AT_LEAST_EVERY_S

    def tell(self, figures: dict[str, Any], *, at_once: bool = False) -> None:
        """Write what was recorded, shipped and dropped; a disk that takes no file is no matter."""
        since_s = time.monotonic() - self._told_at
        facts = {**figures, "recorded": self._writer.recorded, "dropped": dropped_events()}
        if not self._writer.stem or (not at_once and since_s < EVERY_S):
            return
        if facts == self._told and since_s < AT_LEAST_EVERY_S:
            return
        self._told, self._told_at = facts, time.monotonic()
        about = {
            "role": settings.HEALTHPILOT_ROLE,
            "pid": os.getpid(),
            "machine": socket.gethostname(),
            "started_at": self._started_at,
            "updated_at": time.time(),
        }
        with suppress(OSError, AttributeError):
            hold = self._writer.hold
            assert hold
            write(hold.path.with_suffix(STATUS), json.dumps(about | facts).encode())
