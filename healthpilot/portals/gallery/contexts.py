"""What each component is given in each of its states, in the gallery."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from healthpilot.portals.gallery import samples
from healthpilot.web import states, strips
from healthpilot.web.states import Act, State

Context = Mapping[str, Any]

HERE = "#component-kpi"
REFERENCE = "HP-7F3A2C91"
SEVEN: dict[str, State] = {
    "loading": states.loading(),
    "ready": states.ready(),
    "empty": states.empty(
        "Nothing recorded yet",
        "Telemetry was switched on today at 09:12 UTC. The first figures come within five minutes.",
        Act("Set up telemetry", HERE),
    ),
    "filtered": states.filtered(
        "No row matches two filters",
        "Tier Free and domain payments hide all of it; there are 30 days of data without them.",
        Act("Clear the filters", HERE),
        Act("Keep Free only", HERE),
    ),
    "stale": states.stale("26 h old: the rollup of 02:30 did not run.", Act("See the job", HERE)),
    "partial": states.partial("Free is missing from 12 to 16 Nov.", Act("Why", HERE)),
    "error": states.error("Not refreshed: no answer in 3 s.", Act("Retry", HERE), reference=REFERENCE),
    "error-without-data": states.error(
        "The database gave no answer in 3 s.",
        Act("Retry", HERE),
        title="The figures could not be read",
        reference=REFERENCE,
        has_data=False,
    ),
}
SHORT: dict[str, State] = SEVEN | {
    "stale": states.stale("26 h old, the rollup did not run"),
    "partial": states.partial("Free is missing since 12 Nov"),
    "error": states.error("Not refreshed, no answer in 3 s", Act("Retry", HERE), reference=REFERENCE),
    "empty": states.empty("", "Nothing recorded yet"),
    "filtered": states.filtered("", "No row matches the filters"),
    "error-without-data": states.error("No answer in 3 s", reference=REFERENCE, has_data=False),
}


def kpi(name: str) -> Context:
    return {
        "key": f"design-{name}",
        "label": "Spend",
        "level": 4,
        "value": "$4,845.42",
        "exact": "$4,845.417302",
        "note": "7.3 % more than $4,515",
        "series": samples.costs(),
        "foot": "30 complete days",
        "state": SHORT[name],
    }


def chart(name: str) -> dict[str, Any]:
    return {
        "id": f"chart-{name}",
        "title": "Cost per day",
        "level": 4,
        "sentence": "$161.51 a day on average; the dearest was 11 Nov.",
        "figure": samples.figure(),
        "size": "h-220",
        "shape": "figure",
        "table": "portals/gallery/_days.html",
        "days": samples.days(),
        "csv_url": "#component-chart_card",
        "state": SEVEN.get(name),
    }


def switched(view: str) -> Context:
    views = [
        {
            "name": one,
            "label": one.capitalize(),
            "url": f"?component=chart_switch&state={one}",
        }
        for one in ("chart", "table", "both")
    ]
    return chart(f"switch-{view}") | {"view": view, "views": views}


def table(name: str) -> Context:
    return {
        "id": f"users-{name}",
        "title": "Top users",
        "level": 4,
        "sentence": "312 users in this range, by cost.",
        "shape": "rows",
        "table": samples.users(f"users-{name}-rows"),
        "csv_url": "#component-table_card",
        "state": SEVEN[name],
    }


def verdict(status: str) -> Context:
    since, sentence, why = samples.VERDICTS[status]
    failed = status == "error"
    acts = [
        Act("Open the blocking tree", "#component-verdict"),
        Act("See the audit log", "#component-verdict"),
    ]
    return {
        "id": f"verdict-{status}",
        "level": 4,
        "status": status,
        "since": since,
        "sentence": sentence,
        "why": why,
        "acts": acts if failed else [],
        "chain": samples.CHAIN if failed else [],
    }


def change(name: str) -> Context:
    title, lines = samples.EFFECTS[name]
    is_wrong = name == "wrong"
    output = {
        "name": "out",
        "label": "LLM output",
        "current": "12",
        "value": {"changed": "11", "wrong": "eleven"}.get(name, "12"),
        "unit": "M tokens",
        "used": 83,
        "status": "warn",
        "errors": ["Digits only, such as 11 or 11.5."] if is_wrong else [],
    }
    return {
        "id": f"change-{name}",
        "level": 4,
        "action": "#component-change_form",
        "submit": "Save 1 change",
        "changes": [samples.JOBS_CAP, output],
        "effect": {"title": title, "lines": lines},
        "reason": "Free traffic doubled" if name == "changed" else "",
        "reason_error": "Say why, in a few words." if is_wrong else "",
        "last": samples.LAST_CHANGE if name == "ready" else None,
    }


def banner(status: str) -> Context:
    title, text, *acts = samples.BANNERS[status]
    return {
        "status": status,
        "title": title,
        "text": text,
        "acts": [Act(label, "#component-banner") for label in acts],
    }


def tabs(name: str) -> Context:
    listed = [
        {
            "label": label,
            "url": f"?tab={index}#component-tabs",
            "is_current": index == 0,
            "status": status,
            "count": count,
        }
        for index, (label, status, count) in enumerate(samples.TABS)
    ]
    return {
        "label": "Modules",
        "tabs": listed,
        "panel": f"panel-{name}",
        "vertical": name == "column",
        "shown": samples.TABS[0][0],
    }


def combobox(name: str) -> Context:
    typed = {"closed": "", "open": "usr_0", "none": "haldn"}[name]
    found = {} if name == "closed" else {"found": options(typed, 0, limit=4)}
    hint = "Type the start of an id." if name == "closed" else ""
    return {"id": f"who-{name}", "name": "who", "label": "User", "value": typed, "hint": hint} | found


def options(query: str, after: int, *, limit: int = 8) -> dict[str, Any]:
    """Return a page of the choices that start with what was typed, and where the next begins."""
    found = [one for one in samples.people() if one["value"].startswith(query)]
    rest = after + limit
    return {
        "options": found[after:rest],
        "said": f"{len(found)} matches" if len(found) != 1 else "1 match",
        "hint": "Ids start with usr_.",
        "next_query": {"q": query, "after": rest} if rest < len(found) else None,
    }


def heartbeats() -> Context:
    named = (
        ("PostgreSQL", "error", strips.ERROR),
        ("Redis", "ok", ""),
        ("Ayrshare", "unknown", strips.UNKNOWN),
    )
    return {
        "beats": [
            {"name": name, "status": status, "states": samples.beats(trouble=trouble)}
            for name, status, trouble in named
        ]
    }


def refresh() -> Context:
    return {"target": "demo-figures", "captured_at": timezone.now(), "url": "?component=refresh"}


def by_name(names: Iterable[str], make: Any) -> dict[str, Context]:
    """Return what the function makes of each name."""
    return {name: make(name) for name in names}
