"""Runs probes in threads with brief connections, so that one that hangs or raises spares the rest."""

import logging
import math
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import InterfaceError, OperationalError, connections

from systemstatus import registry
from systemstatus.lease import LOCK_WAIT, STATEMENT_WAIT
from systemstatus.registry import CheckState, Layer, Probe, Reading

logger = logging.getLogger(__name__)

THREADS: Final = 4
PASS_S: Final = 45.0
LOOK_S: Final = 0.02
ERROR_MOST: Final = 300
# SQLSTATE classes of a server that took no connection or ended one: no room, an operator's shutdown.
NOT_ANSWERING: Final = ("08", "53", "57P")
# Above the limit that the server keeps for a statement: for one that is frozen.
PATIENCE_S: Final = 4.0

Key = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """What came of one probe: its reading, how long it took, and what went wrong."""

    reading: Reading
    ms: float = 0.0
    error: str = ""


class Turn:
    """One probe's run in a thread; whoever settles it first, its end or its limit, decides."""

    def __init__(self, key: Key, probe: Probe) -> None:
        self.key, self.probe = key, probe
        self.began: float | None = None
        self.answer: Answer | None = None
        self._lock = threading.Lock()

    def run(self) -> None:
        self.began = time.monotonic()
        self.settle(answer_of(self.probe, self.began, module=self.key[0]))

    def settle(self, answer: Answer) -> bool:
        """Take the first answer; says whether this was it."""
        with self._lock:
            if self.answer is None:
                self.answer = answer
                return True
            return False

    def is_late(self, now: float) -> bool:
        return self.began is not None and now - self.began > self.probe.timeout_s


# Probes that outlast their limit keep a thread each; as long as one does, it is not begun again.
hanging: Final[dict[Key, threading.Thread]] = {}


def run_all(probes: Mapping[Key, Probe], *, limit_s: float = PASS_S) -> dict[Key, Answer]:
    """Return the answer of every probe, at the latest after limit_s seconds."""
    turns = [Turn(key, probe) for key, probe in probes.items()]
    waiting: queue.SimpleQueue[Turn] = queue.SimpleQueue()
    for turn in turns:
        if hangs(turn.key):
            turn.settle(
                crashed(f"still hangs since an earlier pass; the limit is {turn.probe.timeout_s:g} s")
            )
        else:
            waiting.put(turn)
    crew = [Worker(waiting) for _ in range(min(THREADS, waiting.qsize()))]
    watch(turns, crew, waiting, time.monotonic() + limit_s)
    return {turn.key: turn.answer for turn in turns if turn.answer}


def hangs(key: Key) -> bool:
    """Say whether an earlier run of a probe still goes on; one that ended is forgotten."""
    thread = hanging.get(key)
    if thread and not thread.is_alive():
        del hanging[key]
    return key in hanging


class Worker(threading.Thread):
    """Takes one turn after the other, over one database connection that is opened when a probe wants it."""

    def __init__(self, waiting: "queue.SimpleQueue[Turn]") -> None:
        super().__init__(name="probes", daemon=True)
        self.waiting = waiting
        self.turn: Turn | None = None
        self.is_left = False
        self.start()

    def run(self) -> None:
        """Work until nothing waits, or until this thread was given up."""
        be_brief()
        try:
            while not self.is_left:
                self.turn = self.waiting.get_nowait()
                self.turn.run()
        except queue.Empty:
            self.turn = None
        finally:
            connections.close_all()


def be_brief() -> None:
    """Have this thread's connection wait for no lock longer than a second, no statement than three, and no
    answer than PATIENCE_S.
    """
    own = connections["default"]
    options = dict(own.settings_dict["OPTIONS"])
    limits = f"-c lock_timeout={LOCK_WAIT} -c statement_timeout={STATEMENT_WAIT}"
    options["options"] = (
        f"{options.get('options', '')} {limits} -c application_name=healthpilot-probes".strip()
    )
    options |= {"connect_timeout": 3, "patience_s": PATIENCE_S, "is_apart": True}
    own.settings_dict = own.settings_dict | {"OPTIONS": options}


def watch(
    turns: Sequence[Turn], crew: list[Worker], waiting: "queue.SimpleQueue[Turn]", until: float
) -> None:
    """Wait for every turn; give up what is late, with a fresh thread for the rest, and all at the end."""
    while any(turn.answer is None for turn in turns):
        now = time.monotonic()
        for worker in [one for one in crew if one.turn and one.turn.is_late(now)]:
            give_up(worker)
            crew.remove(worker)
            crew.append(Worker(waiting))
        if now > until:
            end(turns)
        time.sleep(LOOK_S)


def give_up(worker: Worker) -> None:
    """Settle a late turn as hung, and leave its thread to end when it will."""
    turn = worker.turn
    assert turn
    worker.is_left = True
    if turn.settle(crashed(f"gave no answer within {turn.probe.timeout_s:g} s")):
        hanging[turn.key] = worker
        logger.warning("The probe %s.%s hangs", *turn.key)


def end(turns: Sequence[Turn]) -> None:
    """Settle what is left when the pass's time is over."""
    for turn in turns:
        turn.settle(
            Answer(Reading(state=CheckState.SKIPPED), error="the pass's time was over before its turn")
        )


def answer_of(probe: Probe, began: float, *, module: str = "") -> Answer:
    """Run a probe here; what it raises and numbers that are none become its answer.

    A probe that found no way to PostgreSQL says nothing of its module, unless that is PostgreSQL.
    """
    try:
        reading = probe.run()
        if not isinstance(reading, Reading):
            raise TypeError(f"returned {type(reading).__name__}, not a Reading")  # noqa: TRY301 - one way out
        answer = checked(replace(reading, detail=plain(reading.detail)))
    except (OperationalError, InterfaceError) as error:
        answer = crashed(told(error))
        if is_without_database(error) and not is_database(module):
            said = plain(f"PostgreSQL takes no connection: {told(error)}"[:ERROR_MOST])
            answer = Answer(Reading(state=CheckState.UNKNOWN), error=said)
    except BaseException as error:
        answer = crashed(told(error))
    return replace(answer, ms=round((time.monotonic() - began) * 1000, 3))


def told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def is_without_database(error: Exception) -> bool:
    """Say whether the server did not take a connection, rather than refuse one statement."""
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(NOT_ANSWERING)


def is_database(name: str) -> bool:
    module = registry.registered.get(name)
    return module is not None and module.layer == Layer.DATABASE


def crashed(error: str) -> Answer:
    return Answer(Reading(state=CheckState.CRASHED), error=plain(error[:ERROR_MOST]))


def checked(reading: Reading) -> Answer:
    """Leave out what is no finite number, and fail the check that gave it, by name."""
    bad = sorted(bad_numbers(reading.values))
    if not bad:
        return Answer(reading, error=reading.note[:ERROR_MOST])
    good = {name: kept for name, value in reading.values.items() if (kept := finite(value)) is not None}
    error = f"not a finite number: {', '.join(bad)}"
    return Answer(replace(reading, values=good, state=CheckState.FAILED), error=error[:ERROR_MOST])


def bad_numbers(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of values that are no finite numbers."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from (f"{name} of {target}" for target, one in value.items() if not is_finite(one))
        elif not is_finite(value):
            yield name


def finite(value: Any) -> Any:
    """Return a value without its targets that are no finite numbers; None where nothing is left."""
    if isinstance(value, Mapping):
        return {target: one for target, one in value.items() if is_finite(one)}
    return value if is_finite(value) else None


def plain(value: Any) -> Any:
    """Return what jsonb takes: texts without NUL and halves of letters, times and amounts as texts."""
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool) or is_finite(value):
        return value
    return str(value).replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
