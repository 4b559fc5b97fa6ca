"""How large tables are, how many dead rows they hold, and how much of them is bloat."""

from typing import Any, Final

from systemstatus.probes.postgres.asking import rows
from systemstatus.registry import Reading

LISTED: Final = 20
DEAD_FROM_ROWS: Final = 10_000
BLOAT_FROM_BYTES: Final = 200_000_000

# A table that somebody holds for itself alone would have the exact size wait: its last known pages stand in.
# Partitions count for the table they belong to.
SIZES: Final = """
WITH held AS (
    SELECT relation FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation IS NOT NULL
), sized AS (
    SELECT coalesce(pg_partition_root(table_.oid), table_.oid) AS root,
        CASE WHEN table_.oid IN (SELECT relation FROM held) THEN table_.relpages::bigint * 8192
            ELSE pg_table_size(table_.oid) END AS table_bytes,
        CASE WHEN table_.oid IN (SELECT relation FROM held) THEN 0
            ELSE pg_indexes_size(table_.oid) END AS index_bytes,
        greatest(table_.reltuples, 0)::bigint AS rows
    FROM pg_class AS table_ JOIN pg_namespace AS space ON space.oid = relnamespace
    WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
)
SELECT relname AS name, count(*)::int AS parts, sum(table_bytes)::bigint AS table_bytes,
    sum(index_bytes)::bigint AS index_bytes, sum(rows)::bigint AS rows
FROM sized JOIN pg_class AS root ON root.oid = sized.root
GROUP BY relname ORDER BY sum(table_bytes) + sum(index_bytes) DESC LIMIT %s
"""
DATABASE_SIZE: Final = "SELECT pg_database_size(current_database()) AS bytes"
DEAD: Final = """
SELECT relname AS name, n_live_tup AS live, n_dead_tup AS dead,
    round(100.0 * n_dead_tup / (n_live_tup + n_dead_tup), 2)::float8 AS share,
    greatest(last_vacuum, last_autovacuum) AS vacuumed_at,
    greatest(last_analyze, last_autoanalyze) AS analyzed_at
FROM pg_stat_user_tables WHERE n_live_tup + n_dead_tup >= %s ORDER BY share DESC LIMIT %s
"""
# What the rows would take (width of their columns, 28 bytes of header and pointer, the table's fill factor)
# against the pages they lie on. An estimate: alignment is left out, so that it errs on the low side.
BLOAT: Final = """
WITH measured AS (
    SELECT table_.relname AS name, table_.relpages::bigint * 8192 AS bytes, table_.reltuples AS rows,
        coalesce((SELECT option_value::int FROM pg_options_to_table(table_.reloptions)
            WHERE option_name = 'fillfactor'), 100) AS fill,
        (SELECT sum((1 - null_frac) * avg_width) FROM pg_stats
            WHERE schemaname = space.nspname AND tablename = table_.relname) AS width
    FROM pg_class AS table_ JOIN pg_namespace AS space ON space.oid = relnamespace
    WHERE relkind = 'r' AND relpages::bigint * 8192 >= %s AND reltuples > 0
        AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
)
SELECT name, bytes, rows::bigint,
    round(greatest(0, 100 * (1 - rows * (width + 28) * 100 / fill / bytes))::numeric, 1)::float8 AS share
FROM measured WHERE width IS NOT NULL ORDER BY share DESC LIMIT %s
"""


def sizes() -> Reading:
    """Return the database's size and its largest tables, partitions counted together."""
    (database,) = rows(DATABASE_SIZE)
    return Reading({"db.size_bytes": database["bytes"]}, {"tables": rows(SIZES, [LISTED])})


def dead(from_rows: int = DEAD_FROM_ROWS) -> Reading:
    """Return the largest share of dead rows of any table that has so many rows."""
    found = rows(DEAD, [from_rows, LISTED])
    share = max((row["share"] for row in found), default=0)
    return Reading(
        {"db.dead_tuples": share}, {"dead_tuples": [with_remedy(row, "VACUUM (ANALYZE)") for row in found]}
    )


def bloat(from_bytes: int = BLOAT_FROM_BYTES) -> Reading:
    """Return the largest estimated share of bloat of any table of this size; ANALYZE is what it rests on."""
    found = rows(BLOAT, [from_bytes, LISTED])
    share = max((row["share"] for row in found), default=0)
    mends = [with_remedy(row, "VACUUM FULL") for row in found]
    return Reading({"db.bloat": share}, {"bloat": mends})


def with_remedy(row: dict[str, Any], what: str) -> dict[str, Any]:
    """Return a table with what mends it."""
    quoted = str(row["name"]).replace('"', '""')
    return row | {"remedy": f'{what} "{quoted}";'}
