"""The promises in order; each is one module whose try_it() breaks something and returns what it saw."""

import importlib
from dataclasses import dataclass
from typing import Literal, cast

Size = Literal["tiny", "normal", "full"]


@dataclass(frozen=True)
class Promise:
    """One line of the list: what is promised, and the module that tries to break it."""

    id: str
    module: str
    sentence: str

    def try_it(self, size: Size) -> str:
        """Break something and return what was seen; raises AssertionError when the promise is broken."""
        module = importlib.import_module(f"tests.faults.{self.module}")
        return cast(str, module.try_it(size))


PROMISES = [
    Promise("G1", "g01_durable", "an event that record() took is never lost"),
    Promise("G2", "g02_once", "an event counts once, by whatever way it comes"),
    Promise("G3", "g03_exact", "a rollup killed at any point and run again is exact"),
    Promise("G4", "g04_fenced", "one rollup a day at a time; a stale worker writes nothing"),
    Promise("G5", "g05_closed_once", "each local day is closed once, within ten minutes of being due"),
    Promise("G6", "g06_late_rows", "a row that commits after its day's rollup is added"),
    Promise("G7", "g07_budgets", "no overshoot above reservations; no phantom spend"),
    Promise("G8", "g08_taken_up", "a dead worker's batch is taken up; nothing is skipped or done twice"),
    Promise("G10", "g10_told", "every alert is sent at least once, always with the same id"),
    Promise(
        "G11",
        "g11_noticed",
        "a worker, collector or beat that stands still or dies is told within five minutes, no page is green",
    ),
    Promise(
        "G12",
        "g12_redis",
        "Redis down, hung, full or emptied: pages, recording and rollup go on; recovery by itself",
    ),
    Promise(
        "G13",
        "g13_database",
        "without PostgreSQL there are clear 503s, no false success; what fails is told as what it is",
    ),
    Promise("G14", "g14_flat", "no request and no export loads a full set"),
]
