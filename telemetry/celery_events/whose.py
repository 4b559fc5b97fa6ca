"""Says whose an attempt is: by its message, a resolver, the task that published it, or the task itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from telemetry.celery_events.plans import Plan
from telemetry.drops import drops
from telemetry.jobs import context_values

HEADER: Final = "telemetry"
OWNERS: Final = ("user_id", "tier", "domain")
FROM_PARENT: Final = "from_parent"

Owner = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Publishing:
    """What is known, where a task is published, of whose it is: said in so many words, or inherited."""

    said: Owner
    inherited: Owner


NOTHING_SAID: Final = Publishing({}, {})
publishing: Final[ContextVar[Publishing]] = ContextVar("telemetry_publishing", default=NOTHING_SAID)


@contextmanager
def telemetry_context(
    *, user_id: str | None = None, tier: str | None = None, domain: str | None = None
) -> Iterator[None]:
    """Say whose the tasks are that the block publishes, at any depth; inner blocks add to outer ones."""
    given = {"user_id": user_id, "tier": tier, "domain": domain}
    outer = publishing.get()
    token = publishing.set(Publishing({**outer.said, **owners_in(given)}, outer.inherited))
    try:
        yield
    finally:
        publishing.reset(token)


def owner_of(plan: Plan, task: Any, mark: Mapping[str, Any], args: Any, kwargs: Any) -> tuple[Owner, Owner]:
    """Return an attempt's user, tier and domain, and the part of it that its own tasks inherit.

    What the message says comes before what the resolver says, then what the publishing task passed on (unless
    it belongs to another user), then the task's own `telemetry` attribute, then the defaults.
    """
    known = {**resolved(plan, task, args, kwargs), **owners_in(mark)}
    inherited = owners_in(mark.get(FROM_PARENT))
    if known.get("user_id", inherited.get("user_id")) == inherited.get("user_id"):
        known = {**inherited, **known}
    return {**plan.owner, **known}, known


def owners_in(values: Any) -> Owner:
    """Return the user, tier and domain that a header names; anything else in it is somebody else's."""
    if not isinstance(values, Mapping):
        return {}
    return {name: values[name] for name in OWNERS if values.get(name) is not None}


def resolved(plan: Plan, task: Any, args: Any, kwargs: Any) -> Owner:
    """Ask the application's resolver; one that fails costs the event its owner, not its place."""
    if plan.resolver is None:
        return {}
    try:
        answer = plan.resolver(task, args, kwargs)
        return {} if answer is None else owners_in(context_values(answer, (), {}))
    except Exception as error:
        drops.warn(f"TELEMETRY_TASK_RESOLVER failed for {plan.job_type}", f"{type(error).__name__}: {error}")
        return {}
