"""The tab API: calls, errors and latency of each route, and unhandled exceptions by group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.html import format_html

from healthpilot.web import tables
from healthpilot.web.pages import DEFAULT_LIMIT, CursorError
from healthpilot.web.tables import Column, Row, Table
from healthpilot.web.templatetags.components import STATUSES
from systemstatus import error_queries, figures, queries, registry
from systemstatus.changes import Change, changes_before
from systemstatus.findings import Level
from systemstatus.judging import level_of
from systemstatus.models import ErrorGroup, Seen
from systemstatus.moment import Moment
from systemstatus.standing import standings
from systemstatus.tabs import generic
from systemstatus.thresholds import BY_ID
from systemstatus.wording import figure_text

MODULE: Final = "web"
VIEWS: Final = (("routes", "Routes"), ("errors", "Errors"))
STATES: Final = (("open", "Open"), ("resolved", "Resolved"))
CLASSES: Final = (
    ("2xx", "Answered"),
    ("3xx", "Led elsewhere"),
    ("4xx", "Refused"),
    ("5xx", "Failed"),
)
# A column's name in the address, its head, and the figure it is sorted by.
SORTS: Final = {
    "calls": "Calls",
    "error_share": "Errors",
    "p50": "p50",
    "p95": "p95",
    "p99": "p99",
    "max_ms": "Slowest",
    "apdex": "Apdex",
}
JUDGED: Final = {"error_share": "api.errors", "p50": "api.p50", "p95": "api.p95", "p99": "api.p99"}
ROLES: Final = {"calls": tables.MAIN, "p50": tables.LESSER, "p99": tables.LESSER}
BY_LEVEL: Final = {Level.WARNING: "warn", Level.CRITICAL: "error"}


@dataclass(frozen=True)
class Group:
    """One group of exceptions with its last day, an hour a place, and whether it is kept quiet."""

    group: ErrorGroup
    hours: Sequence[int]
    is_muted: bool

    @property
    def lately(self) -> int:
        return sum(self.hours)


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return the routes, the groups of exceptions, or one of them; two queries each."""
    if fingerprint := params.get("group", "")[:40]:
        return {"view": "group", "views": VIEWS} | one_group(fingerprint, moment)
    if params.get("view") == "errors":
        return {"view": "errors", "views": VIEWS} | errors(moment, params)
    return {"view": "routes", "views": VIEWS} | routes(moment, params)


def routes(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return the figures of all requests, the answers by class, and each route's own figures."""
    module = registry.registered.get(MODULE)
    rows = figures.windows_of([MODULE], moment).get(MODULE, [])
    found = queries.details([MODULE], moment.newest, moment.grain) if moment.newest else {}
    detail: Mapping[str, Any] = found.get(MODULE, {})
    sort, wanted = sort_of(params), params.get("q", "").strip()[:120]
    listed = [one for one in detail.get("routes", []) if wanted.lower() in one["route"].lower()]
    return {
        "part": part_of(moment, rows) if module else None,
        "classes": by_class(rows),
        "routes": table(listed, sort, moment, wanted) if "routes" in detail else None,
        "routes_minutes": detail.get("routes_minutes"),
        "count": len(listed),
        "q": wanted,
        "sort": sort,
    }


def part_of(moment: Moment, rows: Sequence[Seen]) -> generic.Part:
    standing = next(one for one in standings(moment) if one.module.name == MODULE)
    measured = list(figures.of_module(standing.module, rows, moment))
    return generic.Part(standing, measured, generic.checks(standing, moment))


def by_class(rows: Sequence[Seen]) -> list[dict[str, Any]]:
    """Return how many requests of each class of status there were, a minute a place, the oldest first."""
    counted = [row.values["api.status"] for row in reversed(rows) if "api.status" in row.values]
    return [
        {
            "name": name,
            "word": word,
            "status": "error" if name == "5xx" and any(one.get(name, 0) for one in counted) else "",
            "series": [int(one.get(name, 0)) for one in counted],
            "total": sum(int(one.get(name, 0)) for one in counted),
        }
        for name, word in CLASSES
        if counted
    ]


def sort_of(params: QueryDict) -> str:
    """Return the column to sort by, '-' before it for downwards."""
    asked = params.get("sort", "")
    return asked if asked.removeprefix("-") in {*SORTS, "route"} else "-calls"


def table(listed: Sequence[Mapping[str, Any]], sort: str, moment: Moment, wanted: str) -> Table:
    """Return the routes as a table; a figure that its budget calls bad carries the mark."""
    by, downwards = sort.removeprefix("-"), sort.startswith("-")
    ordered = sorted(listed, key=lambda one: (one[by], one["calls"]), reverse=downwards)
    columns = [
        column("route", "Route", tables.NAME, sort, moment, wanted),
        *(
            column(name, label, ROLES.get(name, tables.PLAIN), sort, moment, wanted)
            for name, label in SORTS.items()
        ),
    ]
    rows = [
        Row([route_of(one), *(cell(name, one) for name in SORTS)], key=f"{one['method']} {one['route']}")
        for one in ordered
    ]
    return Table("routes", "Routes by their templates, latency in milliseconds", columns, rows)


def column(name: str, label: str, role: str, sort: str, moment: Moment, wanted: str) -> Column:
    """Return a column whose head sorts by it, downwards first."""
    is_current, downwards = sort.removeprefix("-") == name, sort.startswith("-")
    turned = name if is_current and downwards else f"-{name}"
    query = {"sort": turned} | ({"q": wanted} if wanted else {})
    if moment.is_past:
        query["at"] = f"{moment.at:%Y-%m-%dT%H:%M}"
    direction = (tables.DESCENDING if downwards else tables.ASCENDING) if is_current else ""
    return Column(label, role, role != tables.NAME, f"?{urlencode(query)}", direction)


def route_of(one: Mapping[str, Any]) -> str:
    return f"{one['method']} {one['route'] or '/'}".strip()


def cell(name: str, one: Mapping[str, Any]) -> object:
    """Return a figure as text, marked where a budget calls it bad from enough samples."""
    value = one[name]
    if name == "calls":
        return f"{value:,}"
    if name == "apdex":
        return f"{value:.2f}"
    text = figure_text(value, "%" if name == "error_share" else "ms")
    budget = BY_ID.get(JUDGED.get(name, ""))
    if budget is None or one["calls"] < budget.at_least:
        return text
    status = BY_LEVEL.get(level_of(budget, "", value, ""))
    return marked(text, status) if status else text


def marked(text: str, status: str) -> str:
    word, icon = STATUSES[status]
    return format_html(
        '<span class="nowrap">{} <svg class="s {}" viewBox="0 0 16 16" role="img" aria-label="{}">'
        '<use href="#{}"/></svg></span>',
        text,
        status,
        word,
        icon,
    )


def errors(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return a page of groups of exceptions of one state; two queries."""
    state = params.get("state", "")
    state, problems = (state, []) if state in dict(STATES) else ("open", [])
    try:
        page = error_queries.groups(limit=DEFAULT_LIMIT, cursor=params.get("cursor"), state=state)
    except CursorError as error:
        problems = [f"{error}".capitalize()]
        page = error_queries.groups(limit=DEFAULT_LIMIT, state=state)
    hours = error_queries.sparklines([one.fingerprint for one in page.rows], moment.now)
    groups = [shown(one, hours[one.fingerprint], moment.now) for one in page.rows]
    return {"page": page, "groups": groups, "state": state, "states": STATES, "problems": problems}


def shown(group: ErrorGroup, hours: Sequence[int], now: datetime) -> Group:
    return Group(group, hours, bool(group.muted_until and group.muted_until > now))


def one_group(fingerprint: str, moment: Moment) -> dict[str, object]:
    """Return one group with its sample and what was changed before it began; two queries."""
    group = ErrorGroup.objects.filter(pk=fingerprint).first() if "\0" not in fingerprint else None
    if group is None:
        return {"one": None}
    changes: list[Change] = changes_before(group.opened_at)
    return {"one": shown(group, [], moment.now), "changes": changes}
