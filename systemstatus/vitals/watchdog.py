"""Watches what watches: collector, evaluator, sender, beat and workers, from PostgreSQL alone.

Where the evaluator stands still, nobody else would open an alert; where the sender does, nobody would send
one. So this opens the alerts under the keys that the evaluator would, and sends them itself.
"""

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from systemstatus.alerts.engine import evaluate_only
from systemstatus.findings import Finding, Level
from systemstatus.judging import level_of
from systemstatus.notify import sender
from systemstatus.probes import workers as probe
from systemstatus.thresholds import BY_ID
from systemstatus.vitals import signs

logger = logging.getLogger(__name__)

OWN: Final = "watchdog"
# How often each of them does its work, in seconds, and what it is called; leases note when it was done.
STAGES: Final = {"collector": 60, "alerts": 60, "sender": 10}
TITLES: Final = {"collector": "The collector", "alerts": "The evaluation of alerts", "sender": "The sender"}
STALE_S: Final = 120.0
SENDS_FOR_S: Final = 10.0

AGES: Final = """
SELECT name, extract(epoch FROM clock_timestamp() - coalesce(done_at, created_at))::float8
FROM status_leases WHERE name = ANY(%s)
"""


@dataclass(frozen=True)
class Look:
    """What one look saw: seconds since each stage did its work, what was found, what was sent."""

    ages: dict[str, float]
    findings: tuple[Finding, ...]
    sent: int

    @property
    def bad(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level != Level.OK]


def look(alive_s: float) -> Look:
    """Look once: move the alerts and send where nobody else does.

    Args:
        alive_s: how long this watchdog runs. Nothing counts as late for longer, for before it nothing ran
            that had to keep times: a start after a night is no alarm.

    Raises:
        django.db.Error: PostgreSQL does not answer.
    """
    now = timezone.now()
    signs.say(f"{OWN}@{socket.gethostname()}", OWN, {"pid": os.getpid()})
    ages = stage_ages(alive_s)
    own = [stage("alerts", ages), stage("sender", ages)]
    shared = list(vitals(alive_s))
    shared = [stage("collector", ages), *shared]
    cause = cause_of(shared)
    own, shared = caused(own, cause), caused(shared, cause)
    if ages["alerts"] > STALE_S:  # the causes first, for they keep the rest quiet
        evaluate_only(shared, now=now, source="snapshots")
    evaluate_only(own, now=now, source=OWN)
    sent = sender.send_due(limit_s=SENDS_FOR_S).sent if ages["sender"] > STALE_S / 2 else 0
    return Look(ages, (*own, *shared), sent)


def stage_ages(alive_s: float) -> dict[str, float]:
    """Return the seconds since each stage did its work, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(AGES, [list(STAGES)])
        known: dict[str, float] = dict(cursor.fetchall())
    return {name: min(known.get(name, alive_s), alive_s) * settings.STATUS_RATE for name in STAGES}


def stage(name: str, ages: dict[str, float]) -> Finding:
    """Return the finding for one stage, judged as the collector is."""
    age_s = round(ages[name], 1)
    level = level_of(BY_ID["collector.age"], "", age_s, "")
    return found(f"{name}.age", "collector", "", level, age_s, f"{TITLES[name]} ran {age_s:.0f} s ago.")


def vitals(alive_s: float) -> Iterator[Finding]:
    """Yield what the evaluator would find of the schedule and the workers, from rows alone."""
    for module, rule, reading in (
        ("beat", "queue.beat_lateness", probe.schedule()),
        ("workers", "queue.worker_heartbeat", probe.workers()),
    ):
        value = reading.values.get(rule, {})
        for target, seconds in (value if isinstance(value, Mapping) else {"": value}).items():
            late_s = round(min(seconds, alive_s) * settings.STATUS_RATE, 1)
            level = level_of(BY_ID[rule], target, late_s, "")
            said = f"{BY_ID[rule].metric.capitalize()}{f' of {target}' if target else ''} is {late_s:g} s."
            yield found(rule, module, target, level, late_s, said)


def found(rule: str, module: str, target: str, level: Level, value: float, said: str) -> Finding:
    """Return a finding that counts at once: the age that it tells is its own window."""
    return Finding(rule, module, target, level, value, said, "s", breach_cycles=1)


def cause_of(findings: Iterable[Finding]) -> str:
    """Return the module that explains the rest: without workers nothing runs, without beat nothing is due."""
    late = {finding.module for finding in findings if finding.level != Level.OK}
    return next((module for module in ("workers", "beat") if module in late), "")


def caused(findings: Iterable[Finding], cause: str) -> list[Finding]:
    """Return the findings with what explains them."""
    return [
        replace(finding, caused_by=cause) if cause and finding.module not in {cause, "workers"} else finding
        for finding in findings
    ]
