"""How far replicas are behind, and slots that keep the log for nobody."""

from typing import Final

from systemstatus.probes.postgres.asking import rows
from systemstatus.registry import Reading

REPLICAS: Final = """
SELECT coalesce(nullif(application_name, ''), pid::text) AS name, state, sync_state,
    coalesce(extract(epoch FROM replay_lag), 0)::float8 AS lag_s,
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn()
        ELSE pg_current_wal_lsn() END, replay_lsn)::bigint AS behind_bytes
FROM pg_stat_replication ORDER BY 4 DESC LIMIT 20
"""
# Which column tells since when came with PostgreSQL 17, so the row is read as JSON.
SLOTS: Final = """
SELECT slot_name AS name, active, wal_status,
    extract(epoch FROM clock_timestamp() - (to_jsonb(slot) ->> 'inactive_since')::timestamptz)::float8 / 60
        AS minutes
FROM pg_replication_slots AS slot WHERE NOT temporary ORDER BY 1 LIMIT 20
"""
SELF: Final = """
SELECT pg_is_in_recovery() AS is_replica,
    extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS behind_s
"""


def replication() -> Reading:
    """Return the lag of each replica in seconds and for how many minutes a slot has been without a reader.

    A slot that is inactive on a server that does not tell since when counts as inactive for one minute.
    """
    replicas, slots, (own,) = rows(REPLICAS), rows(SLOTS), rows(SELF)
    lags = {row["name"]: round(row["lag_s"], 3) for row in replicas}
    if own["is_replica"]:
        lags["this server"] = round(own["behind_s"] or 0, 3)
    idle = {
        row["name"]: round(1.0 if row["minutes"] is None else row["minutes"], 2)
        for row in slots
        if not row["active"]
    }
    values = {name: found for name, found in (("db.replica_lag", lags), ("db.inactive_slot", idle)) if found}
    return Reading(values, {"replication": {"replicas": replicas, "slots": slots, **own}})
