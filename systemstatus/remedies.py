"""What to do about a budget that is breached: one sentence for now, one for later."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Remedy:
    """What mends a breach now, and what keeps it from coming back; sql: a statement to copy."""

    now: str
    later: str = ""
    sql: str = ""


REMEDIES: Final[Mapping[str, Remedy]] = {
    "db.connections": Remedy(
        "End sessions that idle, the oldest first; they are listed below by state and program.",
        "Lower the pool of the program that holds most of them before max_connections is raised.",
    ),
    "db.cache_hit": Remedy(
        "Look for a statement that reads whole tables among those that take most time.",
        "If the tables in use outgrew memory, raise shared_buffers to a quarter of it.",
    ),
    "db.longest_query": Remedy(
        "Cancel it if nobody waits for its answer; one that only waits ends when its blocker does.",
        "Give its role a limit of its own.",
        "ALTER ROLE {account} SET statement_timeout = '5min';",
    ),
    "db.idle_in_tx": Remedy(
        "End the session: it has stopped working and still holds its locks; cancelling has no effect on it.",
        "Let the server end such sessions by itself.",
        "ALTER ROLE {account} SET idle_in_transaction_session_timeout = '60s';",
    ),
    "db.lock_wait": Remedy(
        "End the session at the top of the blocking tree; all that wait below it go on by themselves.",
        "Run migrations with lock_timeout = '1s' and try again, so that nothing queues behind them.",
    ),
    "db.lock_table": Remedy(
        "Find the transaction that touches many partitions at once.",
        "Raise max_locks_per_transaction (needs a restart).",
    ),
    "db.deadlocks": Remedy(
        "PostgreSQL broke them by ending one side; the log names both statements.",
        "Have both write their rows in one order.",
    ),
    "db.replica_lag": Remedy(
        "See whether the replica is up and what it replays.", "Give it the disk it needs."
    ),
    "db.inactive_slot": Remedy(
        "Start its reader again, or drop the slot: until then the log is kept and fills the disk.",
        "",
        "SELECT pg_drop_replication_slot('SLOT');",
    ),
    "db.dead_tuples": Remedy(
        "Vacuum the table; a long transaction keeps dead rows from being removed.",
        "Let autovacuum come to it sooner.",
        "ALTER TABLE NAME SET (autovacuum_vacuum_scale_factor = 0.02);",
    ),
    "db.bloat": Remedy("Rebuild the table at a quiet time; VACUUM FULL locks it, pg_repack does not."),
    "db.xid_age": Remedy(
        "Freeze the oldest database; end transactions and drop slots that hold it back.",
        "",
        "VACUUM (FREEZE);",
    ),
    "db.sequence": Remedy("Widen the column and its sequence to bigint before it runs out."),
}

ACCOUNT: Final = "{account}"


def remedy_of(budget: str, account: str = "") -> Remedy:
    """Return what mends a budget's breach; account: whose session it is, named in the statement."""
    found = REMEDIES.get(budget, Remedy("Look at what changed before it began."))
    quoted = '"' + account.replace('"', '""') + '"' if account else "NAME"
    return replace(found, sql=found.sql.replace(ACCOUNT, quoted))
