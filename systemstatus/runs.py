"""Checks that somebody wants run now: a worker runs them, and pages show what came of them.

The regular snapshots stay as they are: what was asked in between stands beside them and judges nothing.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from healthpilot.dataqueue.actions import Done
from healthpilot.dataqueue.enqueue import enqueue
from healthpilot.dataqueue.models import Job
from systemstatus import registry
from systemstatus.audit import lock_chain, record_audit
from systemstatus.probing import Answer, Key
from systemstatus.registry import Module, Probe

RUN: Final = "status.run_checks"
REST: Final = timedelta(seconds=15)
MINUTE: Final = timedelta(minutes=1)
MOST_A_MINUTE: Final = 20
SHOWN_S: Final = 900
KEPT: Final = "status.run:"


def probes_now(module: Module, check: str = "") -> dict[Key, Probe]:
    """Return what can be asked of a module at any time, or one check of it.

    What counts since the last pass cannot: the next pass would miss it.
    """
    asked = (*(probe for probe in module.probes if not probe.counts), *module.trials)
    return {(module.name, probe.name): probe for probe in asked if check in {"", probe.name}}


def run_now(name: str, check: str = "", *, actor: str) -> Done:
    """Have a module's checks run by a worker, once however often it is asked, and not again for 15 s."""
    module = registry.registered.get(name)
    if module is None or not probes_now(module, check):
        return Done(False, "There is no such module, or nothing of it can be asked in between.")
    with transaction.atomic():
        lock_chain()
        now = timezone.now()
        last = Job.objects.filter(kind=RUN, payload__module=name).order_by("-id").first()
        if last and not last.is_finished:
            return Done(True, f"{module.title} is being checked already, for {last.actor}.")
        if last and last.finished_at and now - last.finished_at < REST:
            return Done(False, f"{module.title} was checked a moment ago, for {last.actor}: see below.")
        if Job.objects.filter(kind=RUN, created_at__gt=now - MINUTE).count() >= MOST_A_MINUTE:
            return Done(False, f"More than {MOST_A_MINUTE} modules a minute are not checked in between.")
        job_id = enqueue(
            RUN, {"module": name, "check": check}, tier="system", user_id=actor[:40], domain="system",
            unique_key=f"{RUN}:{name}", actor=actor[:80],
        )  # fmt: skip
        record_audit(actor=actor, action="check.run", target=f"{name} {check}".strip(), after={"job": job_id})
    note(name, {"actor": actor, "at": now.isoformat(), "job": job_id})
    return Done(True, f"{module.title} is being checked; what comes of it shows here.")


def ended(name: str, job_id: int, actor: str, answers: Mapping[Key, Answer]) -> list[dict[str, Any]]:
    """Keep what came of a run where pages look for it, and return it."""
    checks = [
        {"name": probe, "state": str(answer.reading.state), "ms": answer.ms, "said": answer.error}
        for (_, probe), answer in answers.items()
    ]
    note(name, {"actor": actor, "at": timezone.now().isoformat(), "job": job_id, "checks": checks})
    return checks


def note(name: str, told: Mapping[str, Any]) -> None:
    cache.set(f"{KEPT}{name}", dict(told), SHOWN_S)
