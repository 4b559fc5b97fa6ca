"""The jobs of System Status: the check of the whole audit trail, and checks that somebody wants run now."""

from collections.abc import Iterator
from typing import Final

from django.utils import timezone

from healthpilot.dataqueue.enqueue import enqueue
from healthpilot.dataqueue.kinds import Payload, job_kind
from healthpilot.dataqueue.work import JobRefusedError, Step, Work
from systemstatus import probing, registry, runs
from systemstatus.audit import FIRST, check_chain
from systemstatus.models import AuditEntry
from systemstatus.notify import trial

VERIFY: Final = "audit.verify"
TEST: Final = "alerts.test"
RUN_LIMIT_S: Final = 40.0


class VerifyPayload(Payload):
    """Nothing is to be said: the chain is checked from its beginning to its end."""


@job_kind(VERIFY, payload=VerifyPayload, label="Check of the audit trail", queue="system", asks=False)
def verify_chain(work: Work, asked: VerifyPayload) -> Iterator[Step]:
    """Check the seals from the last checkpoint on; the result names the first entry that does not hold."""
    at = work.checkpoint or {"id": 0, "seal": FIRST, "entries": 0, "broken": 0, "first": None, "why": ""}
    total = AuditEntry.objects.count()
    while (piece := check_chain(at["id"], at["seal"], work.batch_size)).entries:
        if piece.broken and at["first"] is None:
            at |= {"first": piece.broken[0][0], "why": piece.broken[0][1]}
        at |= {
            "id": piece.last_id,
            "seal": piece.last_seal,
            "entries": at["entries"] + piece.entries,
            "broken": at["broken"] + len(piece.broken),
        }
        message = f"{at['broken']:,} entries do not hold" if at["broken"] else "Holds so far"
        done = at["entries"]
        yield Step(done=done, total=max(done, total), unit="entries", checkpoint=dict(at), message=message)
    work.result.update(entries=at["entries"], broken=at["broken"], head=at["seal"])
    if at["broken"]:
        work.result.update(first_broken=at["first"], why=at["why"])


def verify(actor: str) -> int:
    """Have the chain checked, and return the job's id; while one is under way it is that one."""
    return enqueue(
        VERIFY, tier="system", user_id=actor[:40], domain="system", unique_key=VERIFY, actor=actor[:80]
    )


class ChecksPayload(Payload):
    """Whose checks are run: a module's, all of them or one."""

    module: str
    check: str = ""


@job_kind(runs.RUN, payload=ChecksPayload, label="Checks run now", queue="system", asks=False, max_attempts=2)
def run_checks(work: Work, asked: ChecksPayload) -> Iterator[Step]:
    """Ask what can be asked of a module in between; what it said is the job's result."""
    module = registry.registered.get(asked.module)
    if module is None:
        raise JobRefusedError(f"There is no module {asked.module!r} to check")
    answers = probing.run_all(runs.probes_now(module, asked.check), limit_s=RUN_LIMIT_S)
    actor = work.user_id
    work.result.update(checks=runs.ended(module.name, work.id, actor, answers))
    yield Step(done=len(answers), total=len(answers), unit="checks", checkpoint={"done": True})


class TestPayload(Payload):
    """Nothing is to be said: the webhook is the one that the settings name."""


@job_kind(TEST, payload=TestPayload, label="Test of the webhook", queue="system", asks=False, max_attempts=2)
def test_webhook(work: Work, asked: TestPayload) -> Iterator[Step]:
    """Send one test message, kept before it is sent: where the worker dies the same id goes again."""
    at = work.checkpoint or {"is_kept": False, "said": None}
    try:
        row = trial.draft(actor=work.user_id, now=timezone.now(), stem=f"job_{work.id}")
        if not at["is_kept"]:
            at = {**at, "is_kept": True}
            yield Step(done=0, total=1, unit="message", checkpoint=at, message="On its way")
        if at["said"] is None:
            tried = trial.attempt(row, actor=work.user_id, now=timezone.now(), limit_s=trial.JOB_LIMIT_S)
            at = {**at, "said": tried.said, "is_delivered": tried.is_delivered}
            yield Step(done=int(tried.is_delivered), total=1, unit="message", checkpoint=at)
    except trial.NotConfiguredError as error:
        raise JobRefusedError(str(error)) from error
    if not at["is_delivered"]:
        raise JobRefusedError(f"The test webhook was not delivered: {at['said']}")
    work.result.update(message=row.message_id, receiver=at["said"])


def send_test(actor: str) -> int:
    """Have the webhook tested, and return the job's id; while one test is under way it is that one."""
    return enqueue(
        TEST, tier="system", user_id=actor[:40], domain="system", unique_key=TEST, actor=actor[:80]
    )
