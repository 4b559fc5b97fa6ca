"""What was recorded, waits, was shipped or dropped: one line a process, from the spool's files."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from telemetry.spool.adoption import adopt
from telemetry.spool.state import ProcessState, SpoolState, spool_state


class Command(BaseCommand):
    """Exit code 0 when all is well, 1 when events are late, dropped or not taken, 2 for misuse."""

    help = (
        "Show what waits in this machine's spool; works while the database is away. Exit code 1: look at it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--ship", action="store_true", help="first ship what processes left that are gone"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["ship"]:
            ship_now()
        state = spool_state()
        self.stdout.write(json.dumps(state.as_dict()) if options["json"] else "\n".join(lines(state)))
        if not state.is_fine:
            raise SystemExit(1)


def ship_now() -> None:
    """Ship the files of dead processes; raises CommandError when the database is away."""
    try:
        adopt(lambda shipped: None, settled_s=0)
    except Error as error:
        raise CommandError(f"the database takes nothing now: {' '.join(str(error).split())}") from None


def lines(state: SpoolState) -> list[str]:
    """Return the state in words, a process a line."""
    told = [process_line(process) for process in state.processes]
    told += [f"not the spool's, left as it is: {name!r}" for name in state.foreign]
    if state.aside:
        told.append(f"{state.aside} set aside in {state.folder}/aside, each with a .reason beside it")
    if state.fault:
        told.append(f"{state.folder} takes no event now: {state.fault}")
    dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(state.dropped.items())) or "none"
    told.append(
        f"{state.waiting:,} events wait, the oldest for {state.oldest_s:.0f} s;"
        f" {state.used_bytes / 1e6:.1f} MB in {state.folder}; dropped: {dropped}"
    )
    return told


def process_line(process: ProcessState) -> str:
    """Return one process in words."""
    life = f"up {time.strftime('%H:%M:%S', time.gmtime(process.age_s))}" if process.is_alive else "gone"
    line = (
        f"{process.role} {process.pid} on {process.machine} ({life}): {process.recorded:,} recorded,"
        f" {process.shipped:,} shipped, {process.waiting:,} waiting"
    )
    for word, counts in (("dropped", process.dropped), ("set aside", process.aside)):
        if counts:
            line += f", {word}: " + ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items()))
    return line + (f" - {process.failure}" if process.failure else "")
