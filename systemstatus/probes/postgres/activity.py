"""Who is connected and what runs: connections by state, the longest statements, idle transactions."""

from collections import Counter
from typing import Any, Final

from systemstatus.probes.postgres.asking import rows, shown
from systemstatus.registry import Reading

LISTED: Final = 10

CLIENTS: Final = """
SELECT pid, coalesce(state, 'background') AS state, application_name AS app, usename AS account, query,
    coalesce(wait_event_type || ': ' || wait_event, '') AS waits_for,
    round(extract(epoch FROM clock_timestamp() - query_start)::numeric, 1)::float8 AS query_s,
    round(extract(epoch FROM clock_timestamp() - state_change)::numeric, 1)::float8 AS state_s,
    round(extract(epoch FROM clock_timestamp() - xact_start)::numeric, 1)::float8 AS transaction_s
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
LIMIT: Final = """
SELECT current_setting('max_connections')::int AS most, current_setting('server_version') AS version,
    extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::bigint AS up_s
"""


def activity() -> Reading:
    """Return connections of their limit, the longest statement, and the oldest idle transaction.

    Read from shared memory alone: no table is touched, so no lock that somebody holds stands in the way.
    """
    clients = rows(CLIENTS)
    (limit,) = rows(LIMIT)
    used = len(clients) + 1
    running = longest(clients, "query_s", ("active", "fastpath function call"))
    idle = longest(clients, "state_s", ("idle in transaction", "idle in transaction (aborted)"))
    values = {
        "db.connections": round(100 * used / limit["most"], 2),
        "db.connections_used": used,
        "db.longest_query": running[0]["query_s"] if running else 0,
        "db.idle_in_tx": idle[0]["state_s"] if idle else 0,
    }
    detail = {
        "server": {"version": limit["version"], "up_s": limit["up_s"]},
        "connections": {"states": Counter(client["state"] for client in clients), "most": limit["most"]},
        "applications": dict(Counter(client["app"] for client in clients).most_common(LISTED)),
        "longest_queries": [listed(client) for client in running[:LISTED]],
        "idle_in_tx": [listed(client) for client in idle[:LISTED]],
    }
    return Reading(values, detail)


def longest(clients: list[dict[str, Any]], age: str, states: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the clients in certain states, the oldest first."""
    found = [client for client in clients if client["state"] in states and client[age] is not None]
    return sorted(found, key=lambda client: -client[age])


def listed(client: dict[str, Any]) -> dict[str, Any]:
    """Return what a page shows of a client."""
    return client | {"query": shown(client["query"])}
