"""The peer of the nightly close: DuckDB over the raw columns of a day, held in memory."""

from datetime import date
from pathlib import Path

import duckdb
from django.conf import settings
from django.db import connection

THREADS = 2
COMMON = {
    "user_id": "VARCHAR",
    "tier": "VARCHAR",
    "domain": "VARCHAR",
    "success": "BOOLEAN",
    "created_at": "TIMESTAMPTZ",
}
COLUMNS = {
    "llm": COMMON
    | {
        "llm_model": "VARCHAR",
        "cache_hit": "BOOLEAN",
        "input_tokens": "INTEGER",
        "cached_input_tokens": "INTEGER",
        "output_tokens": "INTEGER",
        "avoided_input_tokens": "INTEGER",
        "avoided_output_tokens": "INTEGER",
    },
    "job": COMMON | {"cpu_ms": "BIGINT", "rows_read": "BIGINT", "rows_written": "BIGINT"},
}
# What the day's cost needs, by the same key as the partials; kept as tables, as the close keeps its rows.
GROUP_BY = {
    "llm_sums": """
        SELECT user_id, tier, domain, llm_model, count(*) AS calls, count(*) FILTER (NOT success) AS failures,
            count(*) FILTER (cache_hit) AS cache_hits, sum(input_tokens) AS tokens_in,
            sum(cached_input_tokens) AS cached, sum(output_tokens) AS tokens_out,
            sum(avoided_input_tokens) AS avoided_in, sum(avoided_output_tokens) AS avoided_out,
            max(created_at) AS last_event_at
        FROM llm GROUP BY ALL
    """,
    "job_sums": """
        SELECT user_id, tier, domain, count(*) AS jobs, count(*) FILTER (NOT success) AS failures,
            sum(cpu_ms) AS cpu_ms, sum(rows_read) AS rows_read, sum(rows_written) AS rows_written,
            max(created_at) AS last_event_at
        FROM job GROUP BY ALL
    """,
}


class RawDay:
    """One day's raw columns in DuckDB's memory."""

    def __init__(self, day: date) -> None:
        self.link = duckdb.connect(":memory:", config={"threads": THREADS})
        for kind in COLUMNS:
            self.load(kind, day)

    def load(self, kind: str, day: date) -> None:
        """Bring one kind's columns over by way of a file, which is removed."""
        file = Path(settings.HEALTHPILOT_VAR) / f"{kind}.csv"
        query = f"SELECT {', '.join(COLUMNS[kind])} FROM telemetry_{kind}_events_{day:%Y%m%d}"
        copy_out = f"COPY ({query}) TO STDOUT (FORMAT csv)"
        with open(file, "wb") as stream, connection.cursor() as cursor, cursor.copy(copy_out) as copy:
            for part in copy:
                stream.write(part)
        reader = f"read_csv('{file}', header = false, columns = {COLUMNS[kind]})"
        self.link.execute(f"CREATE TABLE {kind} AS SELECT * FROM {reader}")
        file.unlink()

    def group_by(self) -> None:
        """Sum the day by user, tier, domain and model."""
        for table, query in GROUP_BY.items():
            self.link.execute(f"CREATE OR REPLACE TABLE {table} AS {query}")

    def groups(self) -> int:
        """Return how many rows the last group_by made."""
        counts = [self.link.execute(f"SELECT count(*) FROM {table}").fetchone() for table in GROUP_BY]
        return sum(int(row[0]) for row in counts if row)
