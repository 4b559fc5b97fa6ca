"""What was changed before something happened: deploys, migrations, settings, budgets, prices and acts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from systemstatus.models import AuditEntry

MINUTES: Final = 30
MOST: Final = 5
MOST_MOMENTS: Final = 200
# What people do about alerts and errors, and a look in between, answers them and does not cause them.
ANSWERS: Final = ("alert.", "error.", "check.")

WORDS: Final = {
    "decision": "Decision",
    "deploy": "Another release",
    "settings.change": "Settings changed",
    "migrate": "Migrations",
    "budget.save": "Budget saved",
    "budget.remove": "Budget removed",
    "price.set": "Price set",
    "price.reprice": "Days repriced",
    "token.issue": "Token issued",
    "token.revoke": "Token revoked",
    "queue.pause": "Queue paused",
    "queue.resume": "Queue resumed",
    "job.cancel": "Job cancelled",
    "job.retry": "Job retried",
    "job.run_now": "Job run now",
    "schedule.run": "Schedule run now",
    "check.run": "Checks run now",
    "session.cancel": "Statement cancelled",
    "session.terminate": "Database session ended",
    "error.resolve": "Error resolved",
    "error.reopen": "Error reopened",
    "error.mute": "Error muted",
    "error.unmute": "Error unmuted",
    "alert.acknowledge": "Alert acknowledged",
    "alert.silence": "Silence added",
    "alert.silence.end": "Silence ended",
    "alert.maintenance": "Maintenance announced",
    "alert.maintenance.end": "Maintenance ended",
    "alert.test": "Test alert sent",
}


SAID_ALREADY: Final = {("deploy", "release"), ("settings.change", "settings"), ("migrate", "database")}


@dataclass(frozen=True)
class Change:
    """One change of the audit trail, as other pages list it."""

    id: int
    occurred_at: datetime
    actor: str
    action: str
    target: str

    @property
    def words(self) -> str:
        return words_for(self.action)

    @property
    def subject(self) -> str:
        return subject_of(self.action, self.target)


class OfEntry:
    """What shows an entry of the audit trail says in words what was done to what."""

    entry: AuditEntry

    @property
    def words(self) -> str:
        return words_for(self.entry.action)

    @property
    def subject(self) -> str:
        return subject_of(self.entry.action, self.entry.target)


def subject_of(action: str, target: str) -> str:
    """Return what was changed; empty where the action's words name it already."""
    return "" if (action, target) in SAID_ALREADY else target


def words_for(action: str) -> str:
    """Return what an action is called; one that is not known by its own name."""
    return WORDS.get(action, action.replace(".", " ").replace("_", " ").capitalize())


def recent_changes(until: datetime, *, most: int = 10) -> list[Change]:
    """Return the last changes up to a time, the newest first."""
    rows = AuditEntry.objects.filter(occurred_at__lte=until)
    for start in ANSWERS:
        rows = rows.exclude(action__startswith=start)
    found = rows.order_by("-occurred_at", "-id").values_list("id", *FIELDS)
    return [Change(*row) for row in found[:most]]


def changes_before(moment: datetime, minutes: int = MINUTES) -> list[Change]:
    """Return the last changes of the minutes before a moment, the newest first, five at most."""
    return changes_before_each([moment], minutes)[moment]


FIELDS: Final = ("occurred_at", "actor", "action", "target")
BEFORE_EACH: Final = """
SELECT asked.moment, found.*
FROM unnest(%(moments)s::timestamptz[]) AS asked(moment)
CROSS JOIN LATERAL (
    SELECT id, occurred_at, actor, action, target FROM audit_entries
    WHERE occurred_at <= asked.moment AND occurred_at > asked.moment - make_interval(mins => %(minutes)s)
        AND NOT action LIKE ANY (%(answers)s)
    ORDER BY occurred_at DESC, id DESC LIMIT %(most)s
) AS found
ORDER BY asked.moment, found.occurred_at DESC, found.id DESC"""


def changes_before_each(moments: Iterable[datetime], minutes: int = MINUTES) -> dict[datetime, list[Change]]:
    """Return the changes before each of up to 200 moments, by moment; one query."""
    found: dict[datetime, list[Change]] = {
        moment: [] for moment in list(dict.fromkeys(moments))[:MOST_MOMENTS]
    }
    values: dict[str, Any] = {"minutes": minutes, "answers": [f"{start}%" for start in ANSWERS], "most": MOST}
    if found:
        with connection.cursor() as cursor:
            cursor.execute(BEFORE_EACH, values | {"moments": list(found)})
            for moment, *row in cursor.fetchall():
                found[moment].append(Change(*row))
    return found
