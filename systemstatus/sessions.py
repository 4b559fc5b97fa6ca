"""Sessions of PostgreSQL as they are this instant, and how one is stopped: its statement, or all of it."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from systemstatus.audit import lock_chain, record_audit
from systemstatus.models import AuditEntry
from systemstatus.probes.postgres.asking import rows, shown

# Shared memory alone is read: no lock that somebody holds stands in the way.
FIND: Final = """
SELECT pid, coalesce(backend_type, '') AS kind, application_name AS app, coalesce(usename, '') AS account,
    coalesce(datname, '') AS base, coalesce(state, '') AS state, query, backend_start AS started_at,
    coalesce(query_start, backend_start) AS statement_at, xact_start AS transaction_at,
    pid = pg_backend_pid() AS is_asking,
    (SELECT count(*) FROM pg_locks AS waiting WHERE NOT waiting.granted
        AND found.pid = ANY(pg_blocking_pids(waiting.pid))) AS blocks
FROM pg_stat_activity AS found WHERE pid = %s
"""
SIGNALS: Final = {"cancel": "SELECT pg_cancel_backend(%s)", "terminate": "SELECT pg_terminate_backend(%s)"}
ACTIONS: Final = {"cancel": "session.cancel", "terminate": "session.terminate"}
DONE: Final = {"cancel": "cancelled its statement", "terminate": "ended it"}
OWN: Final = "healthpilot-"
# Without these nobody would be told of anything, or the server would go down with what is stopped.
NEEDED: Final = {
    "healthpilot-probes": "the collector's own checks",
    "healthpilot-beat": "the schedule",
    "healthpilot-watchdog": "the watchdog, which tells when nothing else can",
    "healthpilot-ready": "the check that outside monitors ask for",
}
TWICE_WITHIN: Final = timedelta(seconds=10)
LOOKS, LOOK_S = 10, 0.1
NO_RIGHT: Final = "42501"


@dataclass(frozen=True)
class Session:
    """One session: whose it is, what it does, and since when; started_at and statement_at tell it apart."""

    pid: int
    kind: str
    app: str
    account: str
    base: str
    state: str
    query: str
    started_at: datetime | None
    statement_at: datetime | None
    transaction_at: datetime | None
    is_asking: bool
    blocks: int

    @property
    def whose(self) -> str:
        """Whose it is, in words: program, account and database."""
        of = f" of {self.account}" if self.account else ""
        return f"{self.app or 'no name'}{of}{f', database {self.base}' if self.base else ''}"

    @property
    def is_own(self) -> bool:
        return self.app.startswith(OWN)

    @property
    def word(self) -> str:
        """What has to be typed: the process id, and of HealthPilot's own sessions the program's name."""
        return self.app if self.is_own else str(self.pid)

    @property
    def runs(self) -> bool:
        """Whether there is a statement to cancel; what may not be looked at may run."""
        return self.state in {"active", "fastpath function call", ""}

    @property
    def why_kept(self) -> str:
        """Why it is never stopped from here; empty where it may be."""
        if self.kind not in {"client backend", ""}:
            return f"It is a process of the server itself ({self.kind}), which would restart for all."
        if self.is_asking:
            return "It is the session by which this page asks."
        needed = NEEDED.get(self.app)
        return f"HealthPilot needs it: it belongs to {needed}." if needed else ""


@dataclass(frozen=True)
class Stopped:
    """Whether a session or its statement was stopped, and a sentence that says what, or why not."""

    ok: bool
    said: str


def session_of(pid: int) -> Session | None:
    """Return a session as it is now; None where the server has none of this process id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
    found = rows(FIND, [pid])
    return Session(**{**found[0], "query": shown(found[0]["query"])}) if found else None


@dataclass(frozen=True)
class Asked:
    """What somebody wants stopped, as the page showed it: another session of this id is left alone.

    act: cancel or terminate. statement_at: a cancel leaves a later statement alone as well.
    """

    pid: int
    act: str
    started_at: datetime | None
    statement_at: datetime | None

    def is_over(self, now: Session | None) -> bool:
        """Say whether the session, or for a cancel its statement, is no longer there."""
        if now is None or now.started_at != self.started_at:
            return True
        return self.act == "cancel" and (not now.runs or now.statement_at != self.statement_at)


def stop(asked: Asked, *, actor: str) -> Stopped:
    """Cancel a session's statement or end the session, once, with an entry in the audit trail."""
    try:
        with transaction.atomic():
            lock_chain()
            now = session_of(asked.pid)
            why = refusal(asked, now)
            if why or now is None:
                return Stopped(False, why)
            target, sent = target_of(asked.pid), {"sent": asked.act}
            record_audit(actor=actor, action=ACTIONS[asked.act], target=target, before=facts(now), after=sent)
            send(asked)
    except DatabaseError as error:
        return Stopped(False, in_the_way(error))
    return outcome(asked, now)


def refusal(asked: Asked, now: Session | None) -> str:
    """Return why nothing is done; empty where it may be."""
    first, is_over = who_was_first(asked), asked.is_over(now)
    if first and (is_over or timezone.now() - first.occurred_at < TWICE_WITHIN):
        return f"{first.actor} {DONE[asked.act]} at {first.occurred_at:%H:%M:%S} UTC: nothing more was done."
    if now is None or now.started_at != asked.started_at:
        return f"Session {asked.pid} is gone: nothing was done."
    if now.why_kept:
        return f"Nothing was done. {now.why_kept}"
    return f"The statement of session {asked.pid} has ended: nothing was done." if is_over else ""


def who_was_first(asked: Asked) -> AuditEntry | None:
    """Return the entry of whoever stopped the same before."""
    same = AuditEntry.objects.filter(
        target=target_of(asked.pid),
        action=ACTIONS[asked.act],
        before__started_at=text_of(asked.started_at),
    )
    if asked.act == "cancel":
        same = same.filter(before__statement_at=text_of(asked.statement_at))
    return same.order_by("-id").first()


def send(asked: Asked) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SIGNALS[asked.act], [asked.pid])


def outcome(asked: Asked, before: Session) -> Stopped:
    """Look for a second whether what was told to stop has stopped, and say so."""
    what = f"session {asked.pid} ({before.whose})"
    for _ in range(LOOKS):
        if asked.is_over(session_of(asked.pid)):
            done = "The statement of {} was cancelled." if asked.act == "cancel" else "Ended {}."
            return Stopped(True, f"{done.format(what)} The tab shows it with the next snapshot.")
        time.sleep(LOOK_S)
    return Stopped(True, f"Told {what} to stop; it has not yet. Look again in a moment.")


def in_the_way(error: DatabaseError) -> str:
    """Return what PostgreSQL had against it, and what mends that."""
    said = " ".join(str(error).split())[:200]
    if getattr(error.__cause__, "sqlstate", "") == NO_RIGHT:
        role = connection.settings_dict.get("USER") or "healthpilot"
        return (
            f"PostgreSQL does not let HealthPilot's role stop it ({said}). A superuser can: "
            f"GRANT pg_signal_backend TO {role}; sessions of superusers stay theirs to stop."
        )
    return f"Nothing was done, for without an entry in the audit trail nothing is: {said}"


def target_of(pid: int) -> str:
    return f"session {pid}"


def facts(now: Session) -> dict[str, Any]:
    """Return what the audit trail keeps of a session."""
    return {
        "program": now.app, "account": now.account, "database": now.base, "state": now.state,
        "statement": now.query, "blocks": now.blocks,
        "started_at": text_of(now.started_at), "statement_at": text_of(now.statement_at),
    }  # fmt: skip


def text_of(at: datetime | None) -> str:
    return at.isoformat() if at else ""
