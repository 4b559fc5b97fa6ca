"""What a process tells of its part of the spool: a small file beside its segments, for whoever asks."""

import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from telemetry.drops import dropped_events
from telemetry.spool.aside import write
from telemetry.spool.folder import STATUS
from telemetry.spool.writer import SpoolError, Writer

EVERY_S: Final = 2.0
AT_LEAST_EVERY_S: Final = 20.0
DROPS_SHOWN_S: Final = 86_400.0
MOST_SHOWN: Final = 200


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
        if not self._writer.stem and not facts["dropped"]:
            return
        if not at_once and since_s < EVERY_S:
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
        with suppress(OSError, SpoolError):
            stem = self._writer.stem_path()  # its own, also where every event was refused
            write(stem.with_name(f"{stem.name}{STATUS}"), json.dumps(about | facts).encode())


def is_shown(path: Path) -> bool:
    """Return whether a process that is gone tells here of dropped events: so long as a day, as one of few."""
    try:
        told = json.loads(path.read_bytes())
        is_recent = time.time() - told["updated_at"] < DROPS_SHOWN_S
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return (
        bool(told.get("dropped"))
        and is_recent
        and sum(1 for _ in path.parent.glob(f"*{STATUS}")) <= MOST_SHOWN
    )
