"""Groups unhandled exceptions by type and place, within bounds, on their way to Redis every ten seconds."""

import hashlib
import json
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import redis
from django.conf import settings
from django.http import HttpRequest

from telemetry import flushing
from telemetry.outbound.client import redacted
from telemetry.requests import NO_ROUTE, flusher

# Groups a process keeps between two turns, and Redis within a minute; what is beyond counts as one.
MOST: Final = 100
MOST_A_MINUTE: Final = 200
THE_REST: Final = "(others)"
FRAMES: Final = 12
LONGEST: Final = 300
PERSON: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|(?<=\)=\()[^)]*")

# One field counts a group, one holds the first sample of it.
ADD: Final = """
local key = KEYS[1] .. math.floor(redis.call('TIME')[1] / 60)
for at = 3, #ARGV, 3 do
  local group, count, sample = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if redis.call('HEXISTS', key, 'c' .. group) == 0 and redis.call('HLEN', key) >= 2 * tonumber(ARGV[2]) then
    group, sample = '(others)', ''
  end
  redis.call('HINCRBY', key, 'c' .. group, count)
  if sample ~= '' then redis.call('HSETNX', key, 's' .. group, sample) end
end
redis.call('EXPIRE', key, ARGV[1])
"""


@dataclass(frozen=True)
class Sample:
    """One exception of a group, without what people typed: it is shown."""

    type: str
    message: str
    place: str
    frames: list[str]
    route: str
    method: str
    at: float = field(default_factory=time.time)


def fingerprint_of(error: BaseException) -> str:
    """Return what makes two exceptions one group: their type and the functions of this project on the way.

    No line numbers: an edit above does not make a new group.
    """
    places = [f"{frame.filename}:{frame.name}" for frame in own_frames(error.__traceback__)]
    text = "\n".join([type(error).__module__, type(error).__qualname__, *places])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def own_frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """Return the frames of this project, the outermost first; all of them where none is."""
    root = f"{settings.BASE_DIR}{os.sep}"
    frames = traceback.StackSummary.extract(traceback.walk_tb(trace), limit=-200, lookup_lines=False)
    own = [one for one in frames if one.filename.startswith(root) and "site-packages" not in one.filename]
    return own[-FRAMES:] or list(frames)[-FRAMES:]


def sample_of(error: BaseException, request: HttpRequest | None) -> Sample:
    """Return an exception as it may be shown."""
    frames = [shown(frame) for frame in own_frames(error.__traceback__)]
    match = request.resolver_match if request else None
    return Sample(
        type=type(error).__qualname__[:120],
        message=PERSON.sub("***", redacted(" ".join(str(error)[: 4 * LONGEST].split())))[:LONGEST],
        place=frames[-1] if frames else "",
        frames=frames,
        route=f"/{match.route}" if match else NO_ROUTE,
        method=(request.method or "")[:8] if request else "",
    )


def shown(frame: traceback.FrameSummary) -> str:
    """Return a frame in one line: costs/views.py:42 dashboard."""
    path = Path(frame.filename)
    root = Path(settings.BASE_DIR)
    name = path.relative_to(root) if path.is_relative_to(root) else Path(*path.parts[-2:])
    return f"{name}:{frame.lineno} {frame.name}"[:200]


class Gathered:
    """Groups of this process since the last turn: how often, and one sample of each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, str]] = {}

    def add(self, group: str, make_sample: "Sample | None", count: int = 1, text: str = "") -> None:
        """Count an exception; a group beyond the bound counts as the rest."""
        with self._lock:
            if group not in self._kept and len(self._kept) >= MOST:
                group, make_sample, text = THE_REST, None, ""
            known, sample = self._kept.get(group, (0, text))
            if not sample and make_sample:
                sample = json.dumps(asdict(make_sample))
            self._kept[group] = (known + count, sample)

    def take(self) -> dict[str, tuple[int, str]]:
        with self._lock:
            taken, self._kept = self._kept, {}
        return taken

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._kept = {}

    def flush(self, broker: redis.Redis) -> None:
        """Hand on what was gathered; raises RedisError, and then keeps it."""
        taken = self.take()
        if not taken:
            return
        try:
            fields = [part for group, (count, text) in taken.items() for part in (group, count, text)]
            broker.eval(ADD, 1, "hp:seen:errors:", flushing.KEPT_S, MOST_A_MINUTE, *fields)
        except (redis.RedisError, OSError):
            for group, (count, text) in taken.items():
                self.add(group, None, count, text)
            raise


gathered: Final = Gathered()
flushing.parts.append(gathered)
os.register_at_fork(after_in_child=gathered.forget)


def note(sender: object = None, request: HttpRequest | None = None, **details: Any) -> None:
    """Take in the exception that is being handled; Django calls this for each that nobody caught."""
    error = sys.exc_info()[1]
    if error is not None:
        try:
            gathered.add(fingerprint_of(error), sample_of(error, request))
            flusher.begin()
        except Exception:  # recording never harms its host, whose own error is on its way
            gathered.add(THE_REST, None)


@dataclass(frozen=True)
class Group:
    """What all processes saw of one group within a minute; sample: None for the rest."""

    fingerprint: str
    count: int
    sample: Sample | None


def seen(minute: int, *, broker: redis.Redis) -> Sequence[Group]:
    """Return the groups of one minute (since 1970) by Redis's clock, the most frequent first."""
    fields = flushing.fields(broker, "errors", minute)
    found = [
        Group(name[1:].decode(), int(count), read(fields.get(b"s" + name[1:], b"")))
        for name, count in fields.items()
        if name.startswith(b"c")
    ]
    return sorted(found, key=lambda group: -group.count)


def read(text: bytes) -> Sample | None:
    """Return a sample again; None where it is none."""
    try:
        return Sample(**json.loads(text)) if text else None
    except (ValueError, TypeError):
        return None
