"""Minutes of System Status one after the other, and what the pane says then."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import OperationalError
from psycopg.errors import DeadlockDetected

from tests.faults import pane
from tests.faults.sandbox import empty, execute

# In the order in which they are written: a watchdog may be writing while they are emptied.
TABLES = ("alerts", "alert_transitions", "alert_notifications", "status_leases", "status_snapshots_1m",
          "status_signs", "status_canaries", "status_error_groups", "status_error_hours")  # fmt: skip
BACK = timedelta(minutes=40)
MINUTE = timedelta(minutes=1)

Fired = dict[tuple[str, str], tuple[str, str]]


class Minutes:
    """A clock of minutes that begins some time ago, so that the pane can show each as the newest."""

    def __init__(self) -> None:
        """Begin with nothing known, as a system whose other parts are well."""
        from telemetry import flushing

        emptied()
        with flushing.client() as broker:
            for key in broker.scan_iter("hp:seen:*"):
                broker.delete(key)
        self.at = datetime.now(UTC).replace(second=0, microsecond=0) - BACK

    def go(self, count: int) -> Fired:
        """Collect and judge so many minutes; returns severity and cause of what fired, by rule and module."""
        from systemstatus.alerts.engine import evaluate_registered
        from systemstatus.collector import collect_snapshot

        for _ in range(count):
            self.at += MINUTE
            signs_of_life()
            collect_snapshot(self.at)
            evaluate_registered(self.at)
        return fired()

    def pane(self) -> pane.Pane:
        """Return what the pane shows of the newest minute, as if it were this one."""
        execute(
            "UPDATE status_snapshots_1m SET captured_at = date_trunc('minute', now()) WHERE captured_at ="
            " (SELECT max(captured_at) FROM status_snapshots_1m)"
        )
        execute("UPDATE status_leases SET done_at = clock_timestamp()")
        return pane.read()


def emptied() -> None:
    """Empty the tables, again where somebody who was writing came in between."""
    for turn in range(5):
        try:
            empty(*TABLES)
        except OperationalError as error:
            if turn == 4 or not isinstance(error.__cause__, DeadlockDetected):
                raise
        else:
            return


def signs_of_life() -> None:
    """Worker, beat and watchdog are well: what is broken here is another part."""
    from systemstatus.vitals import canaries, signs

    signs.say("celery@one", "worker", {"queues": canaries.queues()})
    signs.say("beat@one", "beat", {"entries": []})
    signs.say("watchdog@one", "watchdog", {})


def fired() -> Fired:
    """Return severity and cause of what fired and is open, by rule and module."""
    rows = execute(
        "SELECT rule, module, severity, caused_by FROM alerts"
        " WHERE closed_at IS NULL AND fired_at IS NOT NULL"
    )
    return {(str(rule), str(module)): (str(severity), str(cause)) for rule, module, severity, cause in rows}


def shown(minutes: Minutes, *words: str, status: str = "error") -> str:
    """Check that the pane has a status and names the layer; returns its sentence."""
    page = minutes.pane()
    assert page.status == status, f"the pane is {page.status}, not {status}: {page.sentence}"
    assert page.says(*words), f"the pane names none of {', '.join(words)}: {page.sentence}"
    return page.sentence


def told(found: Fired, rule: str, module: str, *, severities: Sequence[str], cause: str = "") -> Any:
    """Check that a rule fired of a module with one of the severities and this cause."""
    assert (rule, module) in found, f"{rule} of {module} did not fire: {found}"
    severity, by = found[rule, module]
    assert severity in severities, f"{rule} is {severity}"
    assert by == cause, f"{rule} of {module} is put down to {by or 'nothing'}"
    return severity
