"""Made-up figures for the gallery, always the same: a month of costs, some users, a day of states."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from costs.charts import parts
from healthpilot.web import numbers, strips
from healthpilot.web.tables import DESCENDING, LESSER, MAIN, NAME, SECOND, Column, Row, Table

LAST_ON = date(2026, 11, 16)
NOW = datetime(2026, 11, 17, 14, 36, tzinfo=UTC)
DAYS = 30
USERS = (
    ("usr_7kq2h9", "Enterprise", 8412, 21904, 96_100_000, "542.69"),
    ("usr_m41xva", "Enterprise", 7730, 18211, 81_400_000, "470.01"),
    ("usr_0tz8cd", "Enterprise", 12904, 9077, 60_200_000, "402.17"),
    ("usr_p93bbn", "Pro", 3110, 12466, 54_800_000, "281.03"),
    ("usr_c2wg5e", "Pro", 2845, 10820, 47_300_000, "237.43"),
)


def costs() -> list[Decimal]:
    """Return a month of daily costs with weekends in it."""
    days = (LAST_ON - timedelta(days=back) for back in reversed(range(DAYS)))
    return [
        numbers.rounded(Decimal(176 + 18 * math.sin(on.toordinal() / 3) - weekend_dip(on)), 2) for on in days
    ]


def weekend_dip(on: date) -> int:
    return 58 if on.weekday() > 4 else 0


def figure() -> dict[str, Any]:
    """Return a line of cost per day as the chart card takes it."""
    values = costs()
    dates = [LAST_ON - timedelta(days=back) for back in reversed(range(DAYS))]
    ticks, labels = parts.money_ticks(max(values))
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": [day.isoformat() for day in dates],
        "y": [parts.pixels(value) for value in values],
        "customdata": [numbers.money(value) for value in values],
        "hovertemplate": "%{customdata}<extra></extra>",
        "line": {"color": parts.token("link"), "width": 1.75},
    }
    layout = parts.layout(left=48, right=16)
    layout |= {"xaxis": parts.date_axis(dates), "yaxis": parts.value_axis(ticks, labels)}
    return {"data": [line], "layout": layout, "narrow": {}}


def days() -> list[tuple[date, Decimal]]:
    """Return the rows of the figure's table, latest first."""
    values = costs()
    return [(LAST_ON - timedelta(days=back), values[-1 - back]) for back in range(7)]


def users(name: str) -> Table:
    """Return one page of users as the table component takes it."""
    columns = [
        Column("User", NAME, sort_url="?sort=user"),
        Column("Tier", SECOND),
        Column("Jobs", LESSER, numeric=True, sort_url="?sort=jobs"),
        Column("AI calls", LESSER, numeric=True, sort_url="?sort=calls"),
        Column("Tokens in", LESSER, numeric=True, sort_url="?sort=tokens"),
        Column("Cost, USD", MAIN, numeric=True, sort_url="?sort=cost", direction=DESCENDING),
    ]
    rows = [
        Row(
            (user, tier, numbers.count(jobs), numbers.count(calls), numbers.compact(tokens), cost),
            url=f"#{name}",
            key=user,
        )
        for user, tier, jobs, calls, tokens, cost in USERS
    ]
    caption = "Users by cost in US dollars, the dearest first"
    return Table(name, caption, columns, rows, "", f"?after={USERS[-1][0]}#{name}", "1–5 of 312")


def budgets(name: str) -> Table:
    """Return a small table without lesser columns, which becomes lines of label and value on a phone."""
    columns = [
        Column("Budget", NAME),
        Column("Current", MAIN, numeric=True),
        Column("Warning", numeric=True),
        Column("Critical", numeric=True),
        Column("Window"),
    ]
    rows = [
        Row(("API latency p95", "620 ms", "500 ms", "1,000 ms", "5 min")),
        Row(("Connections used", "78 %", "80 %", "90 %", "2 min")),
        Row(("Oldest waiting job", "31 min", "60 s", "300 s", "2 min")),
    ]
    return Table(name, "Budgets by id", columns, rows)


def beats(*, trouble: str = "") -> list[str]:
    """Return a day in slots of 20 minutes, with two hours of trouble at its end where there is any."""
    states = [strips.OK] * 72
    states[33] = strips.WARNING
    if trouble:
        states[-6:-3] = [strips.WARNING] * 3
        states[-3:] = [trouble] * 3
    return states


def people() -> list[dict[str, str]]:
    """Return the many choices of the typeahead: 480 users in the order of their ids."""
    tiers = ("Free", "Pro", "Enterprise")
    return [{"value": f"usr_{index * 7919 % 46656:04x}", "note": tiers[index % 3]} for index in range(480)]


VERDICTS = {
    "error": (
        "for 32 min, since 14:04",
        "Rating jobs are 31 minutes late because an idle PostgreSQL session has held a lock since 13:55.",
        "12 of 17 modules are fine. No customer's data are at risk.",
    ),
    "warn": ("for 4 min, since 14:32", "The certificate of ConnexCS ends in 19 days.", "Renewal is theirs."),
    "ok": ("for 8 days", "All 17 modules are fine.", "The last incident ended on 9 November."),
    "unknown": ("since 14:30", "No snapshot has come for six minutes.", "Look at the worker's log."),
}
CHAIN = [
    {"at": "13:55 Database", "what": "Session 48213 goes idle", "status": "error", "word": "Cause"},
    {
        "at": "14:02 Database",
        "what": "A migration waits behind it",
        "status": "error",
        "word": "Lock wait 34 min",
    },
    {"at": "14:07 Queue", "what": "Six rating workers stall", "status": "error", "word": "Oldest 31 min"},
    {"at": "14:11 App", "what": "Rating routes slow down", "status": "warn", "word": "p95 620 ms"},
]
EFFECTS = {
    "ready": (
        "Nothing changes yet",
        [{"status": "info", "text": "Type a figure to see what it would do."}],
    ),
    "changed": (
        "If LLM output goes from 12 M to 11 M",
        [
            {"status": "warn", "text": "Today reaches 91 % at once, and 100 % at about 16:10."},
            {
                "status": "info",
                "text": "Over the last 30 days: 5 over, 1,412 free jobs deferred by 2 h 10 min.",
            },
        ],
    ),
    "wrong": (
        "Nothing can be said yet",
        [{"status": "unknown", "text": "The figure cannot be read."}],
    ),
}
JOBS_CAP = {
    "name": "jobs",
    "label": "Jobs",
    "current": "15,000",
    "value": "15,000",
    "unit": "jobs",
    "used": 56,
    "status": "",
}
LAST_CHANGE = {"text": "Mon 17:02, R. Adeyemi: input 50 → 60 M", "undo_url": "#component-change_form"}
BANNERS = {
    "ok": ("The price was changed", "12 → 11 M; it counts from the next call."),
    "info": ("Maintenance on Sunday, 03:00 to 03:40 UTC", "Probes go on; the time is left out."),
    "stale": ("The last rollup was 26 h ago", "These are the last good figures."),
    "warn": ("No snapshot for 2 min 40 s", "The collector is late.", "Open the collector"),
    "error": ("No snapshot for 6 min", "The status is unknown.", "Retry"),
}
FAILED_REQUEST = {
    "title": "The figures could not be read",
    "remedy": "The figures below are the last that arrived.",
    "reference": "HP-7F3A2C91",
}
FAILED_PAGE = {
    "title": "The database does not answer",
    "remedy": "Nothing is lost. Try again in a moment.",
    "reference": "HP-7F3A2C91",
    "retry": "#component-failed",
}
TABS = (
    ("Overview", "error", None),
    ("Budgets", "warn", 6),
    ("Health", "ok", None),
    ("API", "warn", None),
    ("Database", "ok", None),
)
FACTS = [
    {"label": "Cache hit", "value": "99.62 %", "note": "warns below 99 %", "status": "ok"},
    {"label": "Connections", "value": "78 %", "note": "warns at 80 %", "status": "ok"},
    {"label": "Deadlocks", "value": "0", "note": "per 5 min, warns at 1", "status": "ok"},
    {"label": "Lock wait", "value": "34 min", "note": "critical from 60 s", "status": "error"},
]
PAIRS = [("Cause", "usr_7kq2h9"), ("Rule", "db.lock_wait"), ("Since", "13:55 UTC"), ("Owner", "Data team")]
PRESETS = [
    {
        "key": f"design-{days}",
        "label": f"{days} d",
        "spoken": f"{days} days",
        "url": "#component-range",
        "is_current": days == DAYS,
    }
    for days in (7, 30, 90)
]
SPARKLINES: dict[str, dict[str, Any]] = {
    "ready": {"series": costs()},
    "open": {"series": costs(), "open": True},
    "none": {"series": []},
}
PROGRESS: dict[str, dict[str, Any]] = {
    "running": {
        "id": "progress-running",
        "label": "Import calls.csv",
        "value": 1240,
        "most": 5000,
        "text": "1,240 of 5,000 rows, 24 %",
    },
    "unknown": {
        "id": "progress-unknown",
        "label": "Reading the file",
        "value": None,
        "text": "340 MB so far",
    },
    "done": {
        "id": "progress-done",
        "label": "Import calls.csv",
        "value": 5000,
        "most": 5000,
        "text": "5,000 rows in 12 s",
    },
}
DIALOGS: dict[str, dict[str, Any]] = {
    "dialog": {
        "id": "demo-dialog",
        "title": "Terminate session 48213?",
        "text": "Its transaction is rolled back. This is written to the audit log.",
    },
    "drawer": {"id": "demo-drawer", "title": "Session 48213", "drawer": True},
}
TOASTS = {
    "ok": {"status": "ok", "text": "The view was saved."},
    "info": {"status": "info", "text": "Prices of 3 models were read."},
}
TIMES: dict[str, dict[str, Any]] = {
    "ready": {
        "moment": NOW,
        "iso": "2026-11-17T14:36:00Z",
        "relative": "3 min ago",
        "exact": "2026-11-17 14:36:00 UTC",
    },
    "none": {"moment": None, "none": "–"},
}
