"""P12: a month's summary and its top users, as pages and API ask for them, against SELECT 1."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from benchmarks import ranges
from benchmarks.database import COSTS, empty, value
from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Pairs, Work, alternate
from costs import queries, user_queries
from costs.days import local_today
from costs.ranges import DateRange, ending_today
from healthpilot.web.pages import DEFAULT_LIMIT

SELECT_1 = ("SELECT 1", None)
Statement = tuple[str, Any]


def measure(bench: Bench) -> Measurement:
    """Time the statements that costs.queries sends for both: the slower one counts, whole calls are noted."""
    today = local_today(datetime.now(UTC))
    ranges.fill(bench, today)
    try:
        rows = value("SELECT count(*) FROM cost_user_daily")
        asks = questions(ending_today(30, today))
        found = {name: against_select_1(bench, sending(statement_of(ask))) for name, ask in asks.items()}
        whole = {name: against_select_1(bench, ask) for name, ask in asks.items()}
    finally:
        empty(*COSTS)
    slower = max(found.values(), key=lambda pairs: pairs.cost.median)
    parts = [describe(name, found[name], whole[name], bench.sizes.queries) for name in asks]
    note = f"{rows:,} user-days; {'; '.join(parts)}; SELECT 1 {each(slower.peer.median, bench.sizes.queries)}"
    return Measurement(slower.cost, bench.sizes.query_runs, note)


def questions(asked: DateRange) -> dict[str, Work]:
    """Return the two calls that are measured."""
    return {
        "summary": lambda: queries.days(asked.dates),
        "top users": lambda: user_queries.top_users(asked, use_window=True, limit=DEFAULT_LIMIT),
    }


def statement_of(ask: Work) -> Statement:
    """Return the one statement that a query function sends."""
    sent: list[Statement] = []

    def listen(
        execute: Callable[..., object], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> object:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        ask()
    (statement,) = sent
    return statement


def sending(statement: Statement) -> Work:
    """Return the work of sending a statement and fetching all its rows."""

    def send() -> None:
        with connection.cursor() as cursor:
            cursor.execute(*statement)
            cursor.fetchall()

    return send


def against_select_1(bench: Bench, ask: Work) -> Pairs:
    """Time something in turns with SELECT 1, many times a turn."""
    times = bench.sizes.queries
    return alternate(often(ask, times), often(sending(SELECT_1), times), runs=bench.sizes.query_runs)


def often(work: Work, times: int) -> Work:
    """Return the work done so many times."""

    def repeat() -> None:
        for _ in range(times):
            work()

    return repeat


def describe(name: str, found: Pairs, whole: Pairs, times: int) -> str:
    """Return one question's ratio, its time, and that of the whole call with everything it does in Python."""
    called = f"as called {whole.cost.median:.1f}x, {each(whole.ours.median, times)}"
    return f"{name} {found.cost.median:.1f}x, {each(found.ours.median, times)} ({called})"


def each(turn_s: float, times: int) -> str:
    """Return a turn's time as that of a single query."""
    return f"{turn_s / times * 1e6:,.0f} µs"
