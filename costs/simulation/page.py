"""What a simulation's page shows, as plain texts that a job's result can hold too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final

from django.conf import settings
from django.urls import reverse

from costs.budget_page import CAPS, PLACES, current, title
from costs.days import cost_zone, day_bounds
from costs.models import CostBudget
from costs.simulation.outcome import DayWaiting, Outcome, Waiting, seconds
from costs.simulation.replay import HOUR_S
from costs.simulation.simulate import Simulation
from costs.throttle.scopes import EACH_USER, Scope
from healthpilot.web import numbers, tables
from healthpilot.web.tables import Column, Row, Table

DAY_S: Final = 86_400
PILES_UP_PERCENT: Final = 80
CAP_NAMES: Final = {place: cap.label for cap in CAPS for name, place in PLACES.items() if name == cap.name}
METHOD: Final = (
    "Usage is kept by the hour, so an hour's work is taken as spread evenly over it; counts are rounded.",
    "A tier runs until its share of a cap is reached; then all of its work waits until the cap begins anew.",
    "Under a cap on jobs or CPU time AI calls that no job makes go on: fewer of them wait than shown.",
    "What waited is not run again the next day: days on which much waits would begin fuller than shown.",
    "Other scopes' budgets are left out. Days cost what they cost by their own prices.",
)


@dataclass(frozen=True)
class Shown:
    """A simulation in words: for a page, or as the result of a job."""

    sentence: str
    status: str
    verdict: str
    detail: str
    facts: list[dict[str, str]]
    bands: list[dict[str, Any]]
    days: list[list[str]]
    users: list[list[str]]
    has_usage: bool
    caps: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def shown(found: Simulation, limits: Mapping[str, Any], waiting: Iterable[Waiting]) -> Shown:
    """Return what to show of a simulation and of a page of those who wait."""
    status, verdict, detail = judged(found)
    return Shown(
        sentence=sentence(found),
        status=status,
        verdict=verdict,
        detail=detail,
        facts=facts(found),
        bands=drawn(found),
        days=[day_cells(day, list(lines)) for day, lines in by_day(found.proposed)],
        users=[user_cells(one) for one in waiting],
        has_usage=found.has_usage,
        caps=changes(found.scope, limits),
    )


def sentence(found: Simulation) -> str:
    span = found.span
    days = f"{span.first_on:%-d %b %Y} to {span.last_on:%-d %b %Y}"
    return f"{title(found.scope)}, {days}: {span.days} days replayed hour by hour."


def judged(found: Simulation) -> tuple[str, str, str]:
    """Return the status, the verdict and the sentence below it."""
    total, days = found.proposed.total, found.span.days
    if not found.has_usage:
        return "stale", "Nothing was recorded in these days", "There is no usage to replay: choose more days."
    before = told(found.current)
    now = (
        f"With the caps in force {before} would have waited."
        if before
        else "With the caps in force nothing waits."
    )
    if not total:
        return "ok", f"Nothing would have waited in these {days} days", now
    on = found.proposed.days_with_waiting
    verdict = f"{told(found.proposed)} would have waited, on {on} of {days} days"
    detail = f"The longest wait is {span_of(total.longest)}, {lasting(total.mean_wait_s)} on average. {now}"
    if on * 100 >= days * PILES_UP_PERCENT:
        return "error", verdict, f"{detail} Caps that stop work nearly every day let it pile up."
    return "warn", verdict, detail


def told(outcome: Outcome) -> str:
    """Return how much waits, in words; '' for nothing."""
    jobs, calls = outcome.total.jobs, outcome.total.calls
    parts = [many(jobs, "job") if jobs else "", many(calls, "AI call") if calls else ""]
    return " and ".join(filter(None, parts))


def many(amount: int, noun: str) -> str:
    return f"{numbers.count(amount)} {noun}{'' if amount == 1 else 's'}"


def facts(found: Simulation) -> list[dict[str, str]]:
    """Return the key figures, each beside what it is with the caps in force."""
    new, old = found.proposed, found.current
    held, before = (numbers.money(found.span.usd(one.total.cost_s) / HOUR_S) for one in (new, old))
    jobs, calls = (numbers.count(amount) for amount in (new.total.jobs, new.total.calls))
    return [
        fact("Jobs that wait", jobs, numbers.count(old.total.jobs), part_of(new.total.jobs, found.jobs)),
        fact(
            "AI calls that wait", calls, numbers.count(old.total.calls), part_of(new.total.calls, found.calls)
        ),
        fact(
            "Days with waiting", f"{new.days_with_waiting} of {found.span.days}", f"{old.days_with_waiting}"
        ),
        fact("Longest wait", span_of(new.total.longest), span_of(old.total.longest)),
        fact("Average wait", lasting(new.total.mean_wait_s), lasting(old.total.mean_wait_s)),
        fact("Spend held back", held, before),
    ]


def fact(label: str, value: str, now: str, share: str = "") -> dict[str, str]:
    return {"label": label, "value": value, "note": f"{share}now {now}"}


def part_of(amount: int, whole: int) -> str:
    """Return what share of all a count is, for the line below it."""
    return f"{numbers.percent(numbers.share(amount, whole))} of all, " if amount else ""


def span_of(span: timedelta) -> str:
    return lasting(seconds(span))


def lasting(length_s: int) -> str:
    return numbers.duration(length_s * 1000) if length_s else "none"


def drawn(found: Simulation) -> list[dict[str, Any]]:
    """Return for each tier, those that wait first above, from which part of each day on its work waits."""
    dates = [found.span.first_on + timedelta(days=offset) for offset in range(found.span.days)]
    lines = {(line.day, line.group): line for line in found.proposed.lines}
    groups = sorted({group for _, group in lines}, key=shed_order)
    return [
        {
            "label": group_name(group, found.scope),
            "from_s": [waits_from(lines.get((day, group)), day) for day in dates],
        }
        for group in groups
    ]


def shed_order(group: str) -> tuple[int, str]:
    return (settings.TIERS.index(group) if group in settings.TIERS else -1, group)


def waits_from(line: DayWaiting | None, day: date) -> int | None:
    """Return the second of the local day from which work waits, None for a day on which all ran."""
    if line is None:
        return None
    begin, _ = day_bounds(day, cost_zone())
    return min(DAY_S - 1, seconds(line.first_at - begin))


def group_name(group: str, scope: Scope) -> str:
    if scope.key == EACH_USER:
        return "Users"
    return group or "other tiers"


def by_day(outcome: Outcome) -> Iterator[tuple[date, Iterator[DayWaiting]]]:
    """Yield the days on which work waits, the newest first, each with its tiers in the order they stop."""
    lines = sorted(outcome.lines, key=lambda line: (-line.day.toordinal(), shed_order(line.group)))
    return groupby(lines, key=lambda line: line.day)


def day_cells(day: date, lines: Sequence[DayWaiting]) -> list[str]:
    """Return one line of the days' table."""
    whole = Outcome.summed(line.tally for line in lines)
    caps = dict.fromkeys(CAP_NAMES[line.place] for line in lines)
    return [
        f"{day:%a %-d %b}",
        numbers.count(whole.jobs),
        numbers.count(whole.calls),
        " · ".join(f"{who(line)} {line.first_at:%H:%M}" for line in lines),
        ", ".join(caps),
        lasting(whole.mean_wait_s),
        f"{max(line.released_at for line in lines):%-d %b %H:%M} UTC",
    ]


def who(line: DayWaiting) -> str:
    """Return whose work a line is about: a tier's, or of so many users by caps of their own."""
    return f"{many(line.users, 'user')} from" if line.users else line.group or "other tiers"


def user_cells(one: Waiting) -> list[str]:
    """Return one line of the users' table."""
    return [
        one.user_id,
        numbers.count(one.jobs),
        numbers.count(one.calls),
        f"{one.first_at:%-d %b %H:%M}",
        span_of(one.longest),
    ]


def days_table(cells: Sequence[Sequence[str]]) -> Table:
    """Return the table of days on which work waits, the newest first."""
    columns = [
        Column("Day", tables.NAME),
        Column("Jobs wait", tables.MAIN, numeric=True),
        Column("AI calls wait", tables.PLAIN, numeric=True),
        Column("Stopped from (UTC)", tables.PLAIN),
        Column("By its cap of", tables.PLAIN),
        Column("Wait on average", tables.LESSER),
        Column("May run from", tables.LESSER),
    ]
    rows = [Row(line, key=line[0]) for line in cells]
    return Table("simulated-days", "Days on which work waits, the newest first", columns, rows)


def users_table(cells: Sequence[Sequence[str]], *, previous_url: str = "", next_url: str = "") -> Table:
    """Return the table of whose work waits, the most first."""
    columns = [
        Column("User", tables.NAME),
        Column("Jobs wait", tables.MAIN, numeric=True),
        Column("AI calls wait", tables.PLAIN, numeric=True),
        Column("First stopped (UTC)", tables.PLAIN),
        Column("Longest wait", tables.PLAIN),
    ]
    rows = [Row(line, url=reverse("costs:user", kwargs={"name": line[0]}), key=line[0]) for line in cells]
    caption = "Whose work waits, the most first"
    return Table("simulated-users", caption, columns, rows, previous_url, next_url)


def changes(scope: Scope, limits: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the caps that are tried, each from what it is now."""
    row = CostBudget.objects.filter(apply_scope=scope.kind, scope_key=scope.key).first()
    lines = []
    for cap in CAPS:
        now, new = current(cap, getattr(row, cap.name) if row else None), current(cap, limits.get(cap.name))
        if now != new or new != "no cap":
            lines.append({"label": cap.label, "now": now, "new": new})
    return lines
