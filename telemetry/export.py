"""Writes raw events out, day by day, as the database sends them: memory stays flat whatever the amount."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Final, Literal

from django.db import connection, transaction

from telemetry.events import EventKind
from telemetry.fields import Field, Flag, Instant, Text
from telemetry.partitions import covered, midnight, partition_spans

Layout = Literal["csv", "jsonl"]
Write = Callable[[bytes], object]
# Told the events written so far.
Report = Callable[[int], None]

ONE_DAY: Final = timedelta(days=1)
# What makes a spreadsheet take a text for a formula (OWASP, CSV injection); no text begins with white space.
FORMULA: Final = "'=', '+', '-', '@', '＝', '＋', '－', '＠'"
# Where the comma is the decimal point a spreadsheet splits a line at semicolons, and begins a cell there.
LATER: Final = r"""regexp_replace({name}, ';( *[=+@＝＋－＠-])', ';''\1', 'g')"""
ISO: Final = """to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
# JSON holds no raw control character, so with these as its marks COPY leaves every line as it is.
UNTOUCHED: Final = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"


def export(kind: EventKind, days: Iterable[date], layout: Layout, write: Write, report: Report) -> int:
    """Write the events created on these UTC days, in the order of their creation; returns how many.

    CSV has a head with the columns' names, whose endings are the units (_ms, _mb); times are ISO 8601 in UTC.
    A text that a spreadsheet would calculate gets an apostrophe before it. JSON Lines are for programs:
    nothing in them is changed. Each day is read in one statement of its own. Raises django.db.Error.
    """
    spans = partition_spans(kind.table)
    if layout == "csv":
        write(",".join(("id", *kind.columns, "received_at")).encode() + b"\n")
    done = 0
    for day in days:
        if covered([day], spans):
            done = export_day(statement(kind, day, layout), done, write, report)
    return done


def export_day(sql: str, done: int, write: Write, report: Report) -> int:
    """Pass one day's rows on as they come, and return how many there are now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        with connection.wrap_database_errors, cursor.copy(sql) as copy:
            for block in copy:
                write(block)
                done += 1
                if not done % 1000:
                    report(done)
    return done


def statement(kind: EventKind, day: date, layout: Layout) -> str:
    """Return the COPY of one day."""
    columns = {"id": "id", **{name: shown(name, rule, layout) for name, rule in kind.fields.items()}}
    columns["received_at"] = ISO.format(name="received_at")
    chosen = ", ".join(f"{how} AS {name}" for name, how in columns.items())
    lower, upper = midnight(day), midnight(day + ONE_DAY)
    rows = (
        f"SELECT {chosen} FROM {kind.table} AS event"
        f" WHERE event.created_at >= '{lower}' AND event.created_at < '{upper}'"
        " ORDER BY event.created_at, event.id"
    )
    if layout == "csv":
        return f"COPY ({rows}) TO STDOUT (FORMAT csv)"
    return f"COPY (SELECT row_to_json(line)::text FROM ({rows}) AS line) TO STDOUT ({UNTOUCHED})"


def shown(name: str, rule: Field, layout: Layout) -> str:
    """Return the expression of one column."""
    if isinstance(rule, Instant):
        return ISO.format(name=name)
    if layout == "jsonl":
        return name
    if isinstance(rule, Text):
        later = LATER.format(name=name)
        return f"CASE WHEN left({name}, 1) IN ({FORMULA}) THEN '''' || {later} ELSE {later} END"
    return f"{name}::text" if isinstance(rule, Flag) else name
