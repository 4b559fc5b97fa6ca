"""Who waits for whom: the blocking tree, the longest wait for a lock, how full the lock table is."""

from collections.abc import Iterator
from typing import Any, Final

from systemstatus.probes.postgres.asking import rows, shown
from systemstatus.registry import Reading

MOST_ROWS: Final = 50

# Names come from pg_class by their oid, which no lock on the table itself stands in the way of.
WAITING: Final = """
SELECT waiting.pid, pg_blocking_pids(waiting.pid) AS blockers, waiting.mode, waiting.locktype,
    coalesce(relation.relname, '') AS relation,
    round(extract(epoch FROM clock_timestamp() - waiting.waitstart)::numeric, 1)::float8 AS waits_s
FROM pg_locks AS waiting LEFT JOIN pg_class AS relation ON relation.oid = waiting.relation
WHERE NOT waiting.granted
"""
SESSIONS: Final = """
SELECT pid, state, application_name AS app, usename AS account, query,
    round(extract(epoch FROM clock_timestamp() - xact_start)::numeric, 1)::float8 AS transaction_s
FROM pg_stat_activity WHERE pid = ANY(%s)
"""
HELD: Final = """
SELECT pid, array_agg(DISTINCT relation.relname || ' (' || mode || ')') AS holds
FROM pg_locks JOIN pg_class AS relation ON relation.oid = relation AND relation.relkind IN ('r', 'p', 'm')
WHERE granted AND pid = ANY(%s) AND relation.relnamespace <> 'pg_catalog'::regnamespace GROUP BY pid
"""
TABLE: Final = """
SELECT count(*) FILTER (WHERE NOT fastpath) AS held,
    current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int
    + current_setting('max_prepared_transactions')::int) AS room
FROM pg_locks
"""


def locks() -> Reading:
    """Return the longest wait for a lock, the lock table's use, and the tree of who blocks whom."""
    (table,) = rows(TABLE)
    waiting = {row["pid"]: row for row in rows(WAITING)}
    pids = sorted({*waiting, *(pid for row in waiting.values() for pid in row["blockers"])})
    sessions = {row["pid"]: row for row in rows(SESSIONS, [pids])} if pids else {}
    held = {row["pid"]: row["holds"][:8] for row in rows(HELD, [pids])} if pids else {}
    values = {
        "db.lock_wait": max((row["waits_s"] or 0 for row in waiting.values()), default=0),
        "db.lock_table": round(100 * table["held"] / table["room"], 2),
        "db.blocked": len(waiting),
    }
    return Reading(values, {"blocking": list(tree(waiting, sessions, held))[:MOST_ROWS]})


def tree(
    waiting: dict[int, dict[str, Any]], sessions: dict[int, dict[str, Any]], held: dict[int, list[str]]
) -> Iterator[dict[str, Any]]:
    """Yield who blocks whom, each blocker before those that wait for it, with how deep it stands.

    Where sessions wait for each other in a ring, its first one stands at the top.
    """
    below: dict[int, list[int]] = {}
    for pid, row in waiting.items():
        for blocker in row["blockers"]:
            below.setdefault(blocker, []).append(pid)
    told: set[int] = set()
    for top in [*sorted(set(below) - set(waiting)), *sorted(waiting)]:
        yield from branch(top, 0, below, told, waiting, sessions, held)


def branch(
    pid: int,
    depth: int,
    below: dict[int, list[int]],
    told: set[int],
    waiting: dict[int, dict[str, Any]],
    sessions: dict[int, dict[str, Any]],
    held: dict[int, list[str]],
) -> Iterator[dict[str, Any]]:
    """Yield a session and those below it, each once."""
    if pid in told or depth > MOST_ROWS:
        return
    told.add(pid)
    session, wait = sessions.get(pid, {}), waiting.get(pid, {})
    yield {
        "pid": pid,
        "depth": depth,
        "waits_s": wait.get("waits_s"),
        "waits_for": f"{wait['locktype']} {wait['relation']} ({wait['mode']})" if wait else "",
        "holds": held.get(pid, []),
        "state": session.get("state") or "prepared or gone",
        "app": session.get("app") or "",
        "account": session.get("account") or "",
        "transaction_s": session.get("transaction_s"),
        "query": shown(session.get("query")),
        "blocked": len(below.get(pid, [])),
    }
    for child in sorted(below.get(pid, [])):
        yield from branch(child, depth + 1, below, told, waiting, sessions, held)
