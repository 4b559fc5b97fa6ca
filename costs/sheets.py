"""Each card and list of the cost pages as a sheet: the rows that are shown, with units and every digit."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from costs import drilldown, events, histories, month, movers, panels, queries
from costs.bands import label_of
from costs.forms import Asked
from costs.histories import TooMuchError
from costs.subjects import TITLES, Subject, label
from healthpilot.web import numbers
from healthpilot.web.sheets import Sheet


class NoSheetError(Exception):
    """There is no such sheet, or what it would hold cannot be read now; the message says which."""


def of_dashboard(name: str, asked: Asked, now: datetime) -> Sheet:
    """Return the sheet of one card of the cost page; raises NoSheetError."""
    return made(name, DASHBOARD, asked, now)


def of_subject(name: str, subject: Subject, asked: Asked) -> Sheet:
    """Return the sheet of one card of a subject's page; raises NoSheetError."""
    if name.startswith("parts-") and name.removeprefix("parts-") in subject.kind.parts:
        return read(parts_sheet, subject, asked, name.removeprefix("parts-"))
    return made(name, SUBJECT, subject, asked)


def made(name: str, sheets: dict[str, Callable[..., Sheet]], *of: Any) -> Sheet:
    if name not in sheets:
        raise NoSheetError(f"There is no sheet {name!r}; there are {', '.join(sheets)}.")
    return read(sheets[name], *of)


def read(sheet: Callable[..., Sheet], *of: Any) -> Sheet:
    try:
        return sheet(*of)
    except TooMuchError as error:
        raise NoSheetError(drilldown.TOO_MUCH) from error


def named(what: str, asked: Asked) -> str:
    return f"{what}-{asked.range.first_on}-{asked.range.last_on}"


def tiers_sheet(asked: Asked, now: datetime) -> Sheet:
    panel = panels.tier_panel(asked, [])
    heads = ["Day", *(f"{band.label} (USD)" for band in panel["bands"]), "Total (USD)", "Complete"]
    rows = [(day.on, *day.costs, day.total, not day.is_open) for day in panel["tier_days"]]
    return Sheet(named("cost-by-tier", asked), heads, rows)


def domains_sheet(asked: Asked, now: datetime) -> Sheet:
    heads = ["Domain", "Jobs", "Failed jobs", "Queue wait p50 (ms)", "Queue wait p95 (ms)", "Cost (USD)"]
    rows = [
        (row.domain, row.jobs, row.job_failures, row.wait_p50_ms, row.wait_p95_ms, row.cost_exact)
        for row in queries.domains(asked.range)
    ]
    return Sheet(named("domains", asked), heads, rows)


def tokens_sheet(asked: Asked, now: datetime) -> Sheet:
    heads = ["Day", "AI calls", "Tokens in", "Tokens out", "Cache hit-rate (%)", "Complete"]
    rows = [
        (
            line["on"],
            line["row"].ai_calls,
            line["row"].tokens_in,
            line["row"].tokens_out,
            line["rate"] if line["rate"] is None else numbers.rounded(line["rate"], 6),
            not line["is_open"],
        )
        for line in panels.token_panel(asked, queries.days(asked.range.dates))["token_days"]
    ]
    return Sheet(named("tokens", asked), heads, rows)


def users_sheet(asked: Asked, now: datetime) -> Sheet:
    heads = ["User", "Tier", "Jobs", "AI calls", "CPU time (ms)", "Tokens in", "Tokens out", "Cost (USD)"]
    rows = [
        (
            row.user_id,
            row.tier,
            row.jobs,
            row.ai_calls,
            row.cpu_ms,
            row.tokens_in,
            row.tokens_out,
            row.cost_exact,
        )
        for row in panels.users_panel(asked)["users"].rows
    ]
    return Sheet(named("top-users", asked), heads, rows)


def month_sheet(asked: Asked, now: datetime) -> Sheet:
    heads = [
        "Day",
        "Cost (USD)",
        "Running total (USD)",
        "80 % band from (USD)",
        "80 % band to (USD)",
        "Estimate",
    ]
    found = month.month(queries.extent(), asked.range.today)
    rows = [
        (
            line.on,
            line.cost,
            *(
                None if amount is None else numbers.rounded(amount, 6)
                for amount in (line.running, line.low, line.high)
            ),
            line.low is not None,
        )
        for line in reversed(month.rows(found))
    ]
    return Sheet(f"month-{asked.range.today:%Y-%m}", heads, rows)


def change_sheet(asked: Asked, now: datetime) -> Sheet:
    by = movers.user_change(asked.range) if asked.by == "user" else movers.changes(asked.range).get(asked.by)
    heads = [TITLES[asked.by], "Before (USD)", "Now (USD)", "Change (USD)"]
    if by is None:
        return Sheet(named("change", asked), heads, [])
    rows = [(label(one.kind, one.name), one.before, one.now, one.change) for one in by.movers]
    others = [(f"{by.others} others", by.rest_before, by.rest_now, by.rest)] if by.others else []
    together = ("Together", by.before, by.now, by.total)
    return Sheet(named(f"change-by-{asked.by}", asked), heads, [*rows, *others, together])


def history_sheet(subject: Subject, asked: Asked) -> Sheet:
    heads = ["Day", "Cost (USD)", "Jobs", "Failed jobs", "AI calls", "Tokens in", "Tokens out", "Complete"]
    found = histories.history(subject, asked.range.first_on, asked.range.last_on, asked.range.today)
    rows = [
        (
            day,
            row.cost_exact,
            row.jobs,
            row.job_failures,
            row.ai_calls,
            row.tokens_in,
            row.tokens_out,
            day < asked.range.today,
        )
        for day, row in reversed(found.items())
    ]
    return Sheet(named("cost-per-day", asked), heads, rows)


def parts_sheet(subject: Subject, asked: Asked, kind: str) -> Sheet:
    found = histories.parts(subject, kind, asked.range)
    rows = [
        (label_of(row.name) if kind == "tier" else row.name, row.events, row.cost_exact) for row in found.rows
    ]
    others = [(f"{found.others} others", found.other_events, found.other_cost)] if found.others else []
    return Sheet(named(f"by-{kind}", asked), [TITLES[kind], "Events", "Cost (USD)"], [*rows, *others])


def events_sheet(subject: Subject, asked: Asked) -> Sheet:
    page, _ = drilldown.recent(subject, asked)
    return Sheet(named("events", asked), EVENT_HEADS, [event_row(event) for event in page.rows])


def extreme_sheet(order: str) -> Callable[[Subject, Asked], Sheet]:
    def sheet(subject: Subject, asked: Asked) -> Sheet:
        found = events.extreme(subject, asked.range, order)
        return Sheet(named(order, asked), EVENT_HEADS, [event_row(event) for event in found])

    return sheet


EVENT_HEADS = (
    "When (UTC)", "Kind", "Job type or model", "Job id or context", "User", "Tier", "Domain", "Duration (ms)",
    "CPU time (ms)", "Tokens in", "Tokens out", "Skipped", "Attempt", "Success", "Error code", "Cost (USD)",
)  # fmt: skip


def event_row(event: events.Event) -> tuple[Any, ...]:
    return (
        event.created_at, event.kind, event.what, event.context, event.user_id, event.tier, event.domain,
        event.duration_ms, event.cpu_ms, event.tokens_in, event.tokens_out, event.cache_hit, event.attempt,
        event.success, event.error_code, event.cost_exact,
    )  # fmt: skip


DASHBOARD: dict[str, Callable[[Asked, datetime], Sheet]] = {
    "tiers": tiers_sheet,
    "domains": domains_sheet,
    "tokens": tokens_sheet,
    "users": users_sheet,
    "month": month_sheet,
    "change": change_sheet,
}
SUBJECT: dict[str, Callable[[Subject, Asked], Sheet]] = {
    "history": history_sheet,
    "events": events_sheet,
    "dearest": extreme_sheet("dearest"),
    "slowest": extreme_sheet("slowest"),
}
