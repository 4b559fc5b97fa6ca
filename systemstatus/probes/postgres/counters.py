"""PostgreSQL's running counts, the statements that take the most time, and how far ids are used up."""

from typing import Any, Final

from systemstatus.probes.postgres.asking import rows, shown
from systemstatus.registry import Reading

DATABASE: Final = """
SELECT blks_hit, blks_read, deadlocks, xact_commit, xact_rollback, temp_bytes
FROM pg_stat_database WHERE datname = current_database()
"""
AGES: Final = """
SELECT datname, age(datfrozenxid) AS xid_age, mxid_age(datminmxid) AS mxid_age
FROM pg_database ORDER BY age(datfrozenxid) DESC LIMIT 5
"""
SEQUENCES: Final = """
SELECT schemaname || '.' || sequencename AS name, last_value, max_value,
    round(100.0 * last_value / max_value, 2)::float8 AS used
FROM pg_sequences WHERE last_value IS NOT NULL AND increment_by > 0 AND max_value > 0 AND NOT cycle
ORDER BY used DESC NULLS LAST LIMIT 10
"""
HAS_STATEMENTS: Final = """
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements') AS made,
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements') AS available
"""
STATEMENTS: Final = """
SELECT query, calls, rows, round(total_exec_time::numeric, 1)::float8 AS total_ms,
    round(mean_exec_time::numeric, 3)::float8 AS mean_ms,
    round((100 * total_exec_time / nullif(sum(total_exec_time) OVER (), 0))::numeric, 1)::float8 AS share
FROM pg_stat_statements JOIN pg_database ON oid = dbid AND datname = current_database()
ORDER BY total_exec_time DESC LIMIT 20
"""
MAKE_IT: Final = "CREATE EXTENSION pg_stat_statements;"


def counters() -> Reading:
    """Return what only ever grows; what happened within a time is told by the difference of two."""
    (counts,) = rows(DATABASE)
    return Reading(
        {
            "db.blocks_hit_total": counts["blks_hit"],
            "db.blocks_read_total": counts["blks_read"],
            "db.deadlocks_total": counts["deadlocks"],
            "db.commits_total": counts["xact_commit"],
            "db.rollbacks_total": counts["xact_rollback"],
            "db.temp_bytes_total": counts["temp_bytes"],
        }
    )


def ids() -> Reading:
    """Return the oldest transaction id of all databases, and the sequence that is used up the most."""
    ages = rows(AGES)
    sequences = rows(SEQUENCES)
    values = {
        "db.xid_age": max(row["xid_age"] for row in ages),
        "db.mxid_age": max(row["mxid_age"] for row in ages),
        "db.sequence": max((row["used"] or 0 for row in sequences), default=0),
    }
    return Reading(values, {"xid_ages": ages, "sequences": sequences})


def statements() -> Reading:
    """Return the twenty statements that took the most time since the counts began."""
    (has,) = rows(HAS_STATEMENTS)
    if not has["made"]:
        remedy = MAKE_IT if has["available"] else "Install pg_stat_statements with the server."
        return Reading(detail={"statements": [], "statements_remedy": remedy})
    found: list[dict[str, Any]] = [row | {"query": shown(row["query"])} for row in rows(STATEMENTS)]
    return Reading(detail={"statements": found})
