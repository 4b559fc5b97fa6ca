"""G1: what record() took is in the database in the end, through kills of its process and of the server."""

import os
import random
import signal
import struct
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.faults.processes import Child, wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute

PROCESSES = 4


@dataclass(frozen=True)
class Plan:
    """How many events in all, how often a process is killed and the database stopped, and in what time."""

    events: int
    kills: int
    stops: int
    lasts_s: float


PLANS = {
    "tiny": Plan(events=4_000, kills=4, stops=1, lasts_s=4),
    "normal": Plan(events=100_000, kills=24, stops=5, lasts_s=25),
    "full": Plan(events=1_000_000, kills=160, stops=40, lasts_s=200),
}
STEP = 50
INDEX = struct.Struct("<q")


@dataclass
class Slot:
    """One of the processes side by side: its lives so far, each with the events that record() took in it."""

    number: int
    quota: int
    taken: dict[str, int] = field(default_factory=dict)
    child: Child | None = None

    @property
    def left(self) -> int:
        return self.quota - sum(self.taken.values())


def try_it(size: Size) -> str:
    """Record numbered events while processes are killed and the server is; count what arrived."""
    plan = PLANS[size]
    empty()
    # The sandbox's server answers before a commit is written, which a stopped server would forget.
    execute("ALTER DATABASE healthpilot SET synchronous_commit TO on")
    try:
        with tempfile.TemporaryDirectory(prefix="hp-acks-") as folder:
            slots = [Slot(number, plan.events // PROCESSES) for number in range(PROCESSES)]
            break_things(plan, slots, Path(folder))
            finish(plan, slots, Path(folder))
        assert Child(adopt_all).exit_code() == 0
        return told(plan, slots)
    finally:
        execute("ALTER DATABASE healthpilot RESET synchronous_commit")


def break_things(plan: Plan, slots: list[Slot], folder: Path) -> None:
    """Keep the processes recording, and break one thing after the other at random moments."""
    chance = random.Random(1)
    faults = ["kill"] * plan.kills + ["stop"] * plan.stops
    chance.shuffle(faults)
    for slot in slots:
        begin_life(plan, slot, folder)
    for fault in faults:
        time.sleep(chance.uniform(0.5, 1.5) * plan.lasts_s / len(faults))
        if fault == "stop":
            stop_database_at_once()
        else:
            slot = max(slots, key=lambda one: one.left)
            end_life(slot, folder)
            begin_life(plan, slot, folder)


def begin_life(plan: Plan, slot: Slot, folder: Path) -> None:
    """Start the process again, to record what its slot still has to."""
    life = f"slot{slot.number}-life{len(slot.taken)}"
    slot.taken[life] = 0
    left = slot.left
    per_s = 1.2 * plan.events / PROCESSES / plan.lasts_s
    slot.child = Child(lambda: record_numbered(folder / life, life, left, per_s))


def end_life(slot: Slot, folder: Path) -> None:
    """Kill the process and read how many events record() had taken."""
    assert slot.child
    slot.child.kill()
    read_taken(slot, folder)


def read_taken(slot: Slot, folder: Path) -> None:
    life = list(slot.taken)[-1]
    written = (folder / life).read_bytes() if (folder / life).exists() else b""
    slot.taken[life] = INDEX.unpack(written)[0] if len(written) == INDEX.size else 0


def record_numbered(acks: Path, life: str, events: int, per_s: float) -> None:
    """Record events 1, 2, 3, …, writing down each number once record() said True."""
    from telemetry.record import close, record_llm_event

    file = os.open(acks, os.O_WRONLY | os.O_CREAT, 0o600)
    call = {"user_id": life, "tier": "pro", "llm_model": "m", "context_type": "chat", "output_tokens": 1}
    began = time.monotonic()
    for number in range(1, events + 1):
        assert record_llm_event({**call, "input_tokens": number}), "record() took no event"
        os.pwrite(file, INDEX.pack(number), 0)
        if number % STEP == 0:
            time.sleep(max(0.0, began + number / per_s - time.monotonic()))
    close(60)


def stop_database_at_once() -> None:
    """End the server without a farewell, as a crash does, and start it again a moment later."""
    from django.db import connections

    from healthpilot import embedded

    connections.close_all()
    server = embedded.postgres.postmaster(settings.HOME)
    assert server
    server.send_signal(signal.SIGQUIT)
    wait_until(lambda: not embedded.postgres.answers(settings.HOME), "the server to be gone")
    server.wait(30)
    embedded.start(settings.HOME, parts=("postgres",), durable=False, say=lambda line: None)


def finish(plan: Plan, slots: list[Slot], folder: Path) -> None:
    """Let every process record the rest of its events and end in order."""
    for slot in slots:
        assert slot.child
        assert slot.child.exit_code() == 0
        read_taken(slot, folder)
        assert slot.left == 0, f"slot {slot.number} recorded {slot.left} events too few"


def adopt_all() -> None:
    """Ship what the killed processes left, as any other process does every few seconds."""
    from telemetry.spool.adoption import adopt

    adopt(lambda shipped: None, settled_s=0)


def told(plan: Plan, slots: list[Slot]) -> str:
    """Compare what arrived with what was taken; an event cut off by a kill may have arrived or not."""
    found: list[Any] = execute(
        "SELECT user_id, count(*), count(DISTINCT input_tokens), min(input_tokens), max(input_tokens)"
        " FROM telemetry_llm_events GROUP BY 1"
    )
    arrived = {life: figures for life, *figures in found}
    lost = doubled = 0
    for life, taken in ((life, taken) for slot in slots for life, taken in slot.taken.items()):
        rows, numbers, first, last = arrived.get(life, (0, 0, 1, 0))
        doubled += rows - numbers
        lost += max(0, taken - numbers)
        assert first == 1, f"{life} begins with {first}"
        assert numbers == last, f"{life} has {numbers} numbers up to {last}"
        assert last <= taken + 1, f"{life} has events up to {last}, only {taken} were recorded"
    assert (lost, doubled) == (0, 0), f"{lost} lost, {doubled} doubled"
    assert not list((Path(settings.HEALTHPILOT_VAR) / "spool").glob("*.seg")), "files are left in the spool"
    taken = sum(sum(slot.taken.values()) for slot in slots)
    return (
        f"{taken:,} events by {PROCESSES} processes, {plan.kills} kills, {plan.stops} stops of the database:"
        f" recorded − stored = {lost}, doubled {doubled}"
    )
