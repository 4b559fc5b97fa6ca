"""What is asked of PostgreSQL each minute: connections, cache, locks, transactions."""

from typing import Any, Final

from django.db import connection

from systemstatus.registry import Reading

CONNECTIONS: Final = """
SELECT coalesce(state, 'background'), count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' GROUP BY 1
"""
LIMIT: Final = "SELECT current_setting('max_connections')::int, current_setting('server_version')"
DATABASE: Final = """
SELECT blks_hit, blks_read, deadlocks, xact_commit, xact_rollback, temp_bytes
FROM pg_stat_database WHERE datname = current_database()
"""


def rows(sql: str, values: Any = None) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def activity() -> Reading:
    """Return how many clients are connected, by state, of how many there may be."""
    states: dict[str, int] = dict(rows(CONNECTIONS))
    ((most, version),) = rows(LIMIT)
    used = sum(states.values())
    values = {"db.connections": round(100 * used / most, 2), "db.connections_used": used}
    return Reading(values, {"connections": {"states": states, "most": most}, "version": version})


def counters() -> Reading:
    """Return PostgreSQL's running counts; what happened within a time is told by the difference of two."""
    ((hit, read, deadlocks, commits, rollbacks, temp_bytes),) = rows(DATABASE)
    return Reading(
        {
            "db.blocks_hit": hit,
            "db.blocks_read": read,
            "db.deadlocks_total": deadlocks,
            "db.commits_total": commits,
            "db.rollbacks_total": rollbacks,
            "db.temp_bytes_total": temp_bytes,
        }
    )
