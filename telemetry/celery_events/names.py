"""Makes names of tasks and modules fit the columns of a job event, the same way everywhere."""

from collections.abc import Sequence
from typing import Final

from telemetry.fitting import fitted, printable, with_digest

# What the last part of a task module is usually called: it says nothing of the domain.
COMMON_PARTS: Final = frozenset({"tasks", "task", "jobs", "job", "celery", "worker", "workers", "__main__"})


def job_type_of(task_name: str, most: int = 40) -> str:
    """Return a task's name as a job type: whole where it fits, else with its packages as initials.

    'shop.invoicing.reports.tasks.send_monthly_invoices' becomes 's.i.r.t.send_monthly_invoices~1f0a'. What
    was shortened ends in a digest of the whole, so that two names stay two job types.
    """
    name = printable(task_name) or "task"
    if len(name) <= most:
        return name
    *packages, own = name.split(".")
    initials = ".".join(part[:1] for part in packages)
    return with_digest(f"{initials}.{own}" if packages else own, name, most)


def domain_of(module: str, most: int = 16) -> str:
    """Return the domain that a task's module stands for: 'shop.billing.tasks' is 'billing'."""
    parts: Sequence[str] = [part for part in module.split(".") if part and part not in COMMON_PARTS]
    return fitted(parts[-1], most) if parts else "app"
