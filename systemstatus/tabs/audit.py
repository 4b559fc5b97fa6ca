"""The tab Audit: who changed what, and when, and how it stood before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import QueryDict

from healthpilot.dataqueue.models import Job, State
from healthpilot.web.pages import CursorError
from systemstatus import entries
from systemstatus.audit_forms import AuditForm, wanted_of
from systemstatus.changes import OfEntry
from systemstatus.entries import Around, Difference
from systemstatus.jobs import VERIFY
from systemstatus.models import AuditEntry
from systemstatus.moment import Moment

MOST_PARTS: Final = 3
MOST_LETTERS: Final = 80
EVERYTHING: Final = 20_000
CHECKS: Final = 5


@dataclass(frozen=True)
class Line(OfEntry):
    """One entry as the list shows it: the first parts of what it changed, and how it stood around it."""

    entry: AuditEntry
    parts: list[Difference]
    more: int
    around: Around


@dataclass(frozen=True)
class Check:
    """One check of the chain: how it ended or how far it is, in a status, a word and a sentence."""

    job: Job

    @property
    def broken_id(self) -> int | None:
        return (self.job.result or {}).get("first_broken")

    @property
    def status(self) -> str:
        if self.job.state == State.SUCCEEDED:
            return "error" if self.broken_id else "ok"
        return "error" if self.job.state in {State.DEAD, State.PARKED} else "unknown"

    @property
    def word(self) -> str:
        return {"ok": "Holds", "error": "Broken" if self.broken_id else "Failed"}.get(
            self.status, self.job.get_state_display()
        )

    @property
    def sentence(self) -> str:
        result = self.job.result or {}
        count = f"{result.get('entries', self.job.done):,} entries"
        if self.broken_id:
            more = f", of {result['broken']:,}" if result["broken"] > 1 else ""
            return f"Entry {self.broken_id} is the first that does not hold{more}: {result['why']}."
        if self.job.state == State.SUCCEEDED:
            return f"{count}, each with the seal of the one before it."
        if self.job.error_code and self.job.state in {State.DEAD, State.FAILED}:
            return f"{self.job.error_code}: {self.job.error_message}"
        return f"{count} so far." if self.job.done else "It waits for a worker."


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return the list, one entry, or how the chain stands."""
    form = AuditForm(params)
    asked, problems = form.asked()
    is_chain = asked.get("view") == "chain"
    context: dict[str, object] = {
        "view": "chain" if is_chain else "entry" if "entry" in asked else "list",
        "filters": form.shown(),
        "is_filtered": any(one.name in asked for one in form.shown()),
        "problems": problems,
    }
    if is_chain:
        return context | chain()
    if "entry" in asked:
        return context | opened(asked["entry"], moment)
    return context | listed(asked, params.get("cursor"), moment, problems)


def listed(
    asked: Mapping[str, Any], cursor: str | None, moment: Moment, problems: list[str]
) -> dict[str, object]:
    """Return one page of entries, each with how it stood around it; two queries."""
    wanted, until = wanted_of(dict(asked)), moment.at if moment.is_past else None
    try:
        page = entries.page_of(wanted, cursor=cursor, until=until)
    except CursorError as error:
        problems.append(f"{error}".capitalize())
        page = entries.page_of(wanted, cursor=None, until=until)
    around = entries.around([one.occurred_at for one in page.rows], moment.now)
    return {"page": page, "entries": [line(one, around) for one in page.rows]}


def line(one: AuditEntry, around: Mapping[datetime, Around]) -> Line:
    parts = entries.differences(one, MOST_LETTERS)
    return Line(one, parts[:MOST_PARTS], max(0, len(parts) - MOST_PARTS), around[one.occurred_at])


def opened(entry_id: int, moment: Moment) -> dict[str, object]:
    """Return one entry with all that it changed; two queries."""
    one = entries.entry(entry_id)
    if one is None:
        return {"entry_id": entry_id}
    around = entries.around([one.occurred_at], moment.now)[one.occurred_at]
    return {"one": Line(one, entries.differences(one, EVERYTHING), 0, around), "entry_id": entry_id}


def chain() -> dict[str, object]:
    """Return the last checks of the chain, and its newest entry; two queries."""
    checks = [Check(job) for job in Job.objects.filter(kind=VERIFY).order_by("-id")[:CHECKS]]
    newest = AuditEntry.objects.order_by("-id").first()
    return {"checks": checks, "newest": newest, "is_checking": bool(checks) and not checks[0].job.is_finished}
