"""What days must cost, computed from raw events with Fraction and nothing of the code under test."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

Event = Mapping[str, Any]
Rates = tuple[Fraction, Fraction, Fraction, Fraction]  # USD: input, cached and output token, request
WHO = "user_id, tier, domain, created_at"
CPU_MS = Fraction(2, 10**8)
ROW = Fraction(5, 10**7)
CONSTANT: Rates = (Fraction(15, 10**8), Fraction(15, 10**8), Fraction(6, 10**7), Fraction(0))


@dataclass
class Sums:
    """The sums of one user, tier, domain, model or day."""

    jobs: int = 0
    ai_calls: int = 0
    cpu_ms: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_exact: Fraction = Fraction(0)

    def add(self, event: Event, cost: Fraction) -> None:
        if "cpu_ms" in event:
            self.jobs += 1
            self.cpu_ms += event["cpu_ms"]
        else:
            self.ai_calls += 1
            self.tokens_in += event["input_tokens"]
            self.tokens_out += event["output_tokens"]
        self.cost_exact += cost


@dataclass
class Day:
    """One local day as it must be."""

    total: Sums = field(default_factory=Sums)
    parts: dict[str, dict[str, Sums]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Sums)))
    last: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    unpriced_calls: int = 0

    @property
    def tiers_of_users(self) -> dict[str, str]:
        return {user: tier for user, (_, tier) in self.last.items()}

    @property
    def total_micros(self) -> int:
        return round(self.total.cost_exact * 10**6)  # half to even, as Fraction rounds

    def shared_micros(self, kind: str) -> dict[str, int]:
        """Share the rounded total out by largest remainder, ties by key in byte order."""
        exact = {key: sums.cost_exact * 10**6 for key, sums in self.parts[kind].items()}
        shares = {key: micros.numerator // micros.denominator for key, micros in exact.items()}
        by_remainder = sorted(exact, key=lambda key: (shares[key] - exact[key], key.encode()))
        for key in by_remainder[: self.total_micros - sum(shares.values())]:
            shares[key] += 1
        return shares


def days_of(
    events: Iterable[Event], zone: str, prices: Mapping[date, Mapping[str, Rates]]
) -> dict[date, Day]:
    """Return every local day that an event lies in; prices are what applies on each day."""
    days: dict[date, Day] = defaultdict(Day)
    for event in events:
        on = event["created_at"].astimezone(ZoneInfo(zone)).date()
        add_event(days[on], event, prices.get(on, {}))
    return dict(days)


def add_event(day: Day, event: Event, prices: Mapping[str, Rates]) -> None:
    """Count one event wherever it belongs."""
    model = event.get("llm_model", "")
    cost = cost_of(event, prices)
    keys = {"user": event["user_id"], "tier": event["tier"], "domain": event["domain"], "model": model}
    for sums in (day.total, *(day.parts[kind][key] for kind, key in keys.items())):
        sums.add(event, cost)
    day.unpriced_calls += bool(model) and model not in prices
    moment = (event["created_at"], event["tier"])
    day.last[event["user_id"]] = max(moment, day.last.get(event["user_id"], moment))


def cost_of(event: Event, prices: Mapping[str, Rates]) -> Fraction:
    """Return one event's exact cost."""
    if "cpu_ms" in event:
        return Fraction(CPU_MS * event["cpu_ms"] + ROW * (event["rows_read"] + event["rows_written"]))
    given, cached, made, request = prices.get(event["llm_model"], CONSTANT)
    tokens, hits = event["input_tokens"], event["cached_input_tokens"]
    cost = given * (tokens - hits) + cached * hits + made * event["output_tokens"]
    return Fraction(cost + (0 if event["cache_hit"] else request))


def stored_events() -> list[Event]:
    """Return the raw events that the database holds."""
    found: list[Event] = []
    for table, columns in (
        ("job", f"{WHO}, cpu_ms, rows_read, rows_written"),
        (
            "llm",
            f"{WHO}, llm_model, input_tokens, cached_input_tokens, output_tokens, cache_hit",
        ),
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM telemetry_{table}_events")
            names = columns.split(", ")
            found += [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return found


def assert_days_match(expected: Mapping[date, Day]) -> None:
    """Compare every row of the cost tables with what it must be: none missing, none more, all sums exact."""
    assert stored("cost_global_daily", "date", "'day'", "''") == {
        (on, "day", ""): (*values(day.total), day.total_micros) for on, day in expected.items()
    }
    assert stored("cost_user_daily", "date", "'user'", "user_id") == of_kinds(expected, ("user",))
    assert stored("cost_breakdown_daily", "date", "kind", "key") == of_kinds(
        expected, ("tier", "domain", "model")
    )
    assert tiers_of_users() == {
        (on, user): tier for on, day in expected.items() for user, tier in day.tiers_of_users.items()
    }


def of_kinds(
    expected: Mapping[date, Day], kinds: tuple[str, ...]
) -> dict[tuple[date, str, str], tuple[Any, ...]]:
    """Return the rows that the days must have for some kinds of parts."""
    return {
        (on, kind, key): (*values(sums), day.shared_micros(kind)[key])
        for on, day in expected.items()
        for kind in kinds
        for key, sums in day.parts[kind].items()
    }


def values(sums: Sums) -> tuple[Any, ...]:
    return (sums.jobs, sums.ai_calls, sums.cpu_ms, sums.tokens_in, sums.tokens_out, sums.cost_exact)


def stored(table: str, *keys: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Return a cost table's rows by key: the sums, the exact cost and the micro-dollars."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(keys)}, jobs, ai_calls, cpu_ms, tokens_in, tokens_out, cost_exact, cost_usd"
            f" FROM {table} WHERE jobs + ai_calls > 0"
        )
        return {row[:3]: (*row[3:8], Fraction(row[8]), int(row[9] * 10**6)) for row in cursor.fetchall()}


def tiers_of_users() -> dict[tuple[date, str], str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT date, user_id, tier FROM cost_user_daily")
        return {(on, user): tier for on, user, tier in cursor.fetchall()}
