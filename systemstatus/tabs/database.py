"""The tab Database: what is wrong with PostgreSQL and what mends it, then all that its probes found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict

from systemstatus import queries
from systemstatus.figures import Figure
from systemstatus.moment import Moment
from systemstatus.registry import Layer
from systemstatus.remedies import Remedy, remedy_of
from systemstatus.standing import ERROR, RANK, WARN, of_layers, standings
from systemstatus.tabs import generic
from systemstatus.tabs.generic import Part
from systemstatus.wording import figure_text, size_text, span_text

MODULE: Final = "postgres"
SHOWN_DEPTH: Final = 5
ALIKE_FROM: Final = 3
# The states of connections in the order of the bar, each with the class that draws it.
STATES: Final = (
    ("active", "Active", "b-active"),
    ("idle in transaction", "Idle in transaction", "b-held"),
    ("idle in transaction (aborted)", "Idle in a failed transaction", "b-held"),
    ("idle", "Idle", "b-idle"),
)


@dataclass(frozen=True)
class Finding:
    """A figure of PostgreSQL that breaches its budget, with what is known of it and what mends it."""

    figure: Figure
    title: str
    told: str
    remedy: Remedy


@dataclass(frozen=True)
class Session:
    """One line of the blocking tree: a session, how deep it stands, and what it waits for or holds.

    alike: how many more below the same one wait with the same statement.
    """

    row: Mapping[str, Any]
    depth: int
    waited: str
    age: str
    alike: int = 0


@dataclass(frozen=True)
class Share:
    """One state of connections: how many, and its place on the bar in percent of the limit."""

    label: str
    count: int
    css_class: str
    start: float
    width: float


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return what the tab shows."""
    found = of_layers(standings(moment), (Layer.DATABASE,))
    parts = generic.parts_of(moment, found)
    detail = detail_of(moment)
    figures = [figure for part in parts for figure in part.figures]
    return {
        "parts": parts,
        "detail": detail,
        "findings": findings(figures, detail),
        "facts": facts(figures),
        "long_ones": long_ones(detail),
        "sessions": sessions(detail.get("blocking", [])),
        "connections": connections(detail),
        "tables": tables(detail),
        "worth_mending": worth_mending(detail),
        "statements": statements(detail),
        "server": server(detail),
        "checks_ran": checks_ran(parts),
    }


def detail_of(moment: Moment) -> dict[str, Any]:
    if moment.newest is None:
        return {}
    return queries.details([MODULE], moment.newest, moment.grain).get(MODULE, {})


def findings(figures: Sequence[Figure], detail: Mapping[str, Any]) -> list[Finding]:
    """Return what breaches its budget, the worst first."""
    bad = [one for one in figures if one.status in {WARN, ERROR} and one.budget]
    return [
        Finding(
            one, f"{one.metric.title}: {one.text}", told_of(one, detail),
            remedy_of(one.metric.budget, str(first_of(one, detail).get("account") or "")),
        )
        for one in sorted(bad, key=lambda one: -RANK[one.status])
    ]  # fmt: skip


def first_of(figure: Figure, detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first of what the probes list for a budget: a session, a table, a sequence."""
    lists = {
        "db.idle_in_tx": "idle_in_tx", "db.longest_query": "longest_queries", "db.lock_wait": "blocking",
        "db.dead_tuples": "dead_tuples", "db.bloat": "bloat", "db.sequence": "sequences",
    }  # fmt: skip
    rows: Sequence[Mapping[str, Any]] = detail.get(lists.get(figure.metric.budget, ""), [])
    return rows[0] if rows else {}


def told_of(figure: Figure, detail: Mapping[str, Any]) -> str:
    """Return what the probes say of a breach: which session or table it is."""
    first = first_of(figure, detail)
    if not first:
        return ""
    if "pid" not in first:
        return f"The table {first['name']}." if "sequence" not in figure.metric.budget else str(first["name"])
    who = " of ".join(part for part in (first["app"], first["account"]) if part)
    held = f" It holds {', '.join(first['holds'])}." if first.get("holds") else ""
    return f"Session {first['pid']}, {who or 'no name'}, {first['state']}.{held}"


def worth_mending(detail: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the tables with so many dead rows, or so much bloat, that it is worth the work."""
    kinds = (("dead rows", "dead_tuples"), ("bloat", "bloat"))
    return [(words, row) for words, name in kinds for row in detail.get(name, []) if float(row["share"]) >= 1]


def statements(detail: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the statements that take most time, their mean in words."""
    return [row | {"mean": span_text(float(row["mean_ms"]))} for row in detail.get("statements", [])]


def facts(figures: Sequence[Figure]) -> list[dict[str, object]]:
    """Return the figures that are within their budgets, or have none, as small facts."""
    return [
        {
            "label": figure.metric.title,
            "value": figure.text.removesuffix(figure.metric.unit).strip()
            if is_wordy(figure)
            else figure.text,
            "note": figure.limits.partition(",")[0],
            "status": figure.status,
        }
        for figure in figures
        if figure.status not in {WARN, ERROR}
    ]


def is_wordy(figure: Figure) -> bool:
    """Whether a figure's unit only repeats its title."""
    return figure.metric.unit in {"connections", "transactions"}


def long_ones(detail: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str]]:
    """Return idle transactions and running statements, each with for how long."""
    idle = [(row, span_of(row["state_s"])) for row in detail.get("idle_in_tx", [])]
    return [*idle, *((row, span_of(row["query_s"])) for row in detail.get("longest_queries", []))]


def sessions(rows: Sequence[Mapping[str, Any]]) -> list[Session]:
    """Return the blocking tree, where many that wait alike below one session are told in one line."""
    lines: list[Session] = []
    seen: dict[tuple[int, str], int] = {}
    parent = 0
    for row in rows:
        depth = min(int(row["depth"]), SHOWN_DEPTH)
        parent = row["pid"] if row["blocked"] else parent
        key = (parent, f"{depth} {row['query']}")
        if not row["blocked"]:
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > ALIKE_FROM:
                lines[-1] = more_alike(lines[-1])
                continue
        lines.append(Session(row, depth, span_of(row.get("waits_s")), span_of(row.get("transaction_s"))))
    return lines


def more_alike(last: Session) -> Session:
    return Session(last.row, last.depth, last.waited, last.age, last.alike + 1)


def span_of(seconds: float | None) -> str:
    return "" if seconds is None else span_text(seconds * 1000)


def connections(detail: Mapping[str, Any]) -> dict[str, object]:
    """Return connections by state on a bar that ends at the limit; empty where they are not known."""
    told = detail.get("connections")
    if not told:
        return {}
    states, most = dict(told["states"]), max(1, told["most"])
    counted = [(label, states.pop(name, 0), css) for name, label, css in STATES]
    counted.append(("Other", sum(states.values()), "b-other"))
    shares, start = [], 0.0
    for label, count, css in counted:
        if count:
            width = round(100 * count / most, 2)
            shares.append(Share(label, count, css, round(start, 2), width))
            start += width
    used = sum(share.count for share in shares)
    return {"shares": shares, "most": most, "used": used, "programs": detail.get("applications", {})}


def tables(detail: Mapping[str, Any]) -> list[dict[str, object]]:
    """Return the largest tables with their sizes in words."""
    return [
        {
            "name": row["name"],
            "total": size_text(row["table_bytes"] + row["index_bytes"]),
            "indexes": size_text(row["index_bytes"]),
            "rows": figure_text(row["rows"], ""),
            "parts": row["parts"],
        }
        for row in detail.get("tables", [])
    ]


def server(detail: Mapping[str, Any]) -> str:
    """Return which server it is and since when it is up; empty where that is not known."""
    told = detail.get("server")
    return f"PostgreSQL {told['version']}, up for {span_text(told['up_s'] * 1000)}" if told else ""


def checks_ran(parts: Sequence[Part]) -> int:
    return sum(len(part.checks) for part in parts)
