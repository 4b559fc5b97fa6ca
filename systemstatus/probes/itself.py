"""What is asked of System Status itself: how long its passes take, what was not sent, who watches it."""

from typing import Any, Final

from systemstatus.coverage import coverage
from systemstatus.probes.postgres.asking import rows
from systemstatus.registry import CheckState, Reading
from systemstatus.vitals import signs

WATCHED_S: Final = 60.0
STAGES: Final = """
SELECT name, holder, done_at, took_ms, extract(epoch FROM clock_timestamp() - done_at)::float8 AS age_s
FROM status_leases ORDER BY name LIMIT 20
"""
UNSENT: Final = """
SELECT count(*) AS unsent,
    coalesce(extract(epoch FROM clock_timestamp() - min(first_due_at)), 0)::float8 AS oldest_s
FROM alert_notifications WHERE state = 'waiting' AND first_due_at <= clock_timestamp()
"""


def stages() -> Reading:
    """Return how long the last pass of the collector took, and when each stage last did its work."""
    found = rows(STAGES)
    passes = [row["took_ms"] / 1000 for row in found if row["name"] == "collector" and row["done_at"]]
    values = {"collector.pass": passes[0]} if passes else {}
    return Reading(values, {"stages": found})


def unsent() -> Reading:
    """Return for how many seconds the oldest notification waits that should have gone out."""
    (found,) = rows(UNSENT)
    return Reading({"alerts.unsent": round(found["oldest_s"], 1), "alerts.unsent_count": found["unsent"]})


def watchdog() -> Reading:
    """Return whether somebody would tell of a collector, beat or worker that stands still."""
    last = next(iter(signs.seen("watchdog")), None)
    if last is None:
        return Reading(state=CheckState.UNKNOWN, note="No watchdog has been seen: ./run manage watchdog")
    seen: dict[str, Any] = {"name": last.name, "seen_at": last.seen_at, "age_s": round(last.age_s, 1)}
    if last.age_s > WATCHED_S:
        note = f"The watchdog was last seen {last.age_s:.0f} s ago"
        return Reading({"watchdog.age": seen["age_s"]}, {"watchdog": seen}, CheckState.WARNING, note)
    return Reading({"watchdog.age": seen["age_s"]}, {"watchdog": seen})


def covered() -> Reading:
    """Return how much of the project's routes, tasks and clients is watched, in percent."""
    found = coverage()
    state = CheckState.OK if found.is_whole else CheckState.WARNING
    lacking = sum(len(names) for group in (found.unclaimed, found.uncounted) for names in group.values())
    note = "" if found.is_whole else f"{lacking} are not watched: ./run manage status_coverage"
    detail = {"unclaimed": found.unclaimed, "uncounted": found.uncounted,
              "known": {kind: len(names) for kind, names in found.known.items()}}  # fmt: skip
    return Reading({"coverage.share": found.share}, detail, state, note)
