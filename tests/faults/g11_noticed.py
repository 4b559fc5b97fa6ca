"""G11: worker, beat and collector stand still or die; each is told in time, by cause, no page is green."""

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tests.faults import processes
from tests.faults.promises import Size
from tests.faults.sandbox import empty
from tests.faults.worlds import World, world

TABLES = ("alert_transitions", "alerts", "alert_notifications", "status_leases", "status_signs",
          "status_canaries", "status_snapshots_1m")  # fmt: skip
YELLOW_S, RED_S, NOTICED_S = 120, 300, 300
# The watchdog looks every fifteen seconds, the evaluator every sixty, and a notice waits thirty for company.
SPARE_S = 60
MINUTE_S = 60
STARTED_S = 200
OVER_S = 300


# Four installations are asked at once: twice a second is enough.
wait_until = partial(processes.wait_until, every_s=0.5)


@dataclass(frozen=True)
class Fault:
    """One way to lose a process. cause: the module it is put down to; words: of which the pane has one."""

    name: str
    cause: str
    words: Sequence[str]
    strike: Callable[[World], None]
    mend: Callable[[World], None]
    collects_apart: bool = False


FAULTS = (
    Fault("worker stopped", "workers", ("worker",), lambda one: one.stand_still("worker"),
          lambda one: one.go_on("worker")),
    Fault("worker killed", "workers", ("worker",), lambda one: one.kill("worker"), World.start_worker),
    Fault("beat stopped", "beat", ("schedule",), lambda one: one.stand_still("beat"),
          lambda one: one.go_on("beat")),
    Fault("collector stopped", "", ("nothing has been collected",), lambda one: one.stand_still("collector"),
          lambda one: one.go_on("collector"), collects_apart=True),
)  # fmt: skip


def try_it(size: Size) -> str:
    """Lose each process in an installation of its own, side by side and in real time.

    The tiny size only shows that everything is seen while it runs.
    """
    from django.db import connections

    empty(*TABLES)
    connections.close_all()
    chosen = FAULTS[:1] if size == "tiny" else FAULTS
    with contextlib.ExitStack() as stack:
        worlds = [
            stack.enter_context(world(f"world_{place}", collects_apart=fault.collects_apart))
            for place, fault in enumerate(chosen)
        ]
        if size == "tiny":
            return f"seen to be well {well_early(worlds[0]):.0f} s after the start"
        with ThreadPoolExecutor(len(worlds)) as threads:
            seen = list(threads.map(outcome, chosen, worlds))
    broken = [str(one) for one in seen if isinstance(one, AssertionError)]
    assert not broken, "; ".join([*broken, *(one for one in seen if isinstance(one, str))])
    return "; ".join(map(str, seen))


def outcome(fault: Fault, one: World) -> str | AssertionError:
    """Return what was seen of a fault, or what was not, so that the others are told as well."""
    try:
        return noticed(fault, one)
    except AssertionError as error:
        return error


def well_early(one: World) -> float:
    """Wait until the watchdog sees worker, beat and sender at work; returns the seconds."""
    began = time.monotonic()
    wait_until(lambda: set(signs(one)) == {"worker", "beat", "watchdog"}, "signs of life", STARTED_S)
    wait_until(lambda: "sender" in ages(one), "the sender to run", STARTED_S)
    assert not fired(one), f"something fired in a healthy system: {fired(one)}"
    return time.monotonic() - began


def signs(one: World) -> list[str]:
    return [str(role) for (role,) in one.rows("SELECT role FROM status_signs")]


def everything_is_well(one: World) -> None:
    """Wait until the collector, the evaluator and the sender run; nothing may be told."""
    wait_until(lambda: ages(one).keys() >= {"collector", "alerts", "sender"}, "every stage to run", STARTED_S)
    assert not fired(one), f"something fired in a healthy system: {fired(one)}"


def ages(one: World) -> dict[str, float]:
    """Return the seconds since each stage did its work."""
    return dict(
        one.rows(
            "SELECT name, extract(epoch FROM clock_timestamp() - done_at)::float8 FROM status_leases"
            " WHERE done_at IS NOT NULL"
        )
    )


def fired(one: World) -> dict[str, tuple[str, str]]:
    """Return severity and cause of what fired and is open, by rule."""
    rows = one.rows(
        "SELECT rule, severity, caused_by FROM alerts WHERE closed_at IS NULL AND fired_at IS NOT NULL"
    )
    return {rule: (severity, cause) for rule, severity, cause in rows}


def told_of(one: World, module: str) -> bool:
    return any(body["data"].get("module") == module for body in one.receiver.bodies)


def noticed(fault: Fault, one: World) -> str:
    """Strike, wait until it is yellow, told and red, mend it, and wait until it is over."""
    everything_is_well(one)
    fault.strike(one)
    began = time.monotonic()
    wait_until(lambda: "collector.age" in fired(one), f"{fault.name}: yellow", YELLOW_S + SPARE_S + MINUTE_S)
    yellow_s = time.monotonic() - began
    shown = one.pane()
    assert shown.status in {"warn", "error"}, f"{fault.name}: the pane is {shown}"
    wait_until(
        partial(told_of, one, fault.cause or "collector"), f"{fault.name}: a notice", NOTICED_S - yellow_s
    )
    told_s = time.monotonic() - began
    cause = fired(one)["collector.age"][1]
    assert cause == fault.cause, f"{fault.name}: put down to {cause or 'nothing'}: {fired(one)}"
    wait_until(
        lambda: fired(one)["collector.age"][0] == "critical", f"{fault.name}: red", RED_S + SPARE_S - told_s
    )
    red_s = time.monotonic() - began
    shown = one.pane()
    assert (shown.status, shown.monitor) == ("error", 503), f"{fault.name}: the pane is {shown}"
    is_right = shown.says(*fault.words) and shown.says(" because ") == bool(fault.cause)
    assert is_right, f"{fault.name}: the pane names another layer: {shown.sentence}"
    mended = time.monotonic()
    fault.mend(one)
    wait_until(lambda: "collector.age" not in fired(one), f"{fault.name}: its end", OVER_S)
    return (
        f"{fault.name}: yellow after {yellow_s:.0f} s, told with its cause after {told_s:.0f} s, red after"
        f" {red_s:.0f} s (“{shown.sentence}”), over {time.monotonic() - mended:.0f} s after it went on"
    )
