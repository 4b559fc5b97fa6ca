"""The kinds of jobs there are: each a typed payload, a handler that works in batches, and its rules."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pydantic
from ninja import Schema
from pydantic import ConfigDict

from healthpilot.admission import Ask
from healthpilot.dataqueue.models import QueueClass
from healthpilot.dataqueue.work import Step, Work

NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
LONGEST_BATCH_S = 300
BATCH_ROWS = (500, 2000)


class Payload(Schema):
    """What a job is asked to do; fields that are not declared are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Batched(Protocol):
    """A handler as an object: what there is to do, then one batch after the other."""

    def plan(self) -> Step:
        """Return where the work begins and how much there is."""

    def batch(self, checkpoint: Any) -> Step | None:
        """Do the batch after the checkpoint; None when nothing is left."""


# A generator: it works up to each `yield Step(…)`, and what it did since the one before is committed there.
Handler = Callable[[Work, Any], Iterator[Step]]
H = TypeVar("H", bound=Callable[..., Any])


class UnknownKindError(LookupError):
    """No app defines this kind of job."""


class PayloadError(ValueError):
    """A payload that does not fit its kind; the text names the field and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of job and its rules; see `job_kind`."""

    name: str
    handler: Callable[..., Any]
    payload: type[Payload]
    label: str
    batch_size: int
    timeout_s: int
    max_attempts: int
    progress_s: tuple[int, int] | None
    queue: QueueClass | None
    idempotent: bool
    asks: bool
    can_downgrade: bool
    estimate: Callable[[Any], dict[str, int]]
    secret: tuple[str, ...]

    def parsed(self, payload: Any) -> Any:
        """Return a payload as this kind's type. Raises PayloadError."""
        try:
            return self.payload.model_validate(payload)
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "payload"
            raise PayloadError(f"{self.name}: {place}: {first['msg']}") from None

    def steps(self, work: Work) -> Iterator[Step]:
        """Return the work of a job from its checkpoint on, step by step."""
        payload = self.parsed(work.payload)
        begun = self.handler(work, payload)
        return begun if isinstance(begun, Iterator) else batch_by_batch(begun, work)

    def ask(self, work: Work) -> Ask:
        """Return the question whether this job may run."""
        estimates: dict[str, Any] = {
            f"est_{name}": amount for name, amount in self.estimate(self.parsed(work.payload)).items()
        }
        return Ask(
            what=self.name,
            tier=work.tier,
            domain=work.domain,
            user_id=work.user_id,
            job_id=work.job_id,
            can_downgrade=self.can_downgrade,
            **estimates,
        )


def batch_by_batch(batched: Batched, work: Work) -> Iterator[Step]:
    """Yield the steps of a handler that is an object."""
    checkpoint = work.checkpoint
    if checkpoint is None:
        first = batched.plan()
        checkpoint = first.checkpoint
        yield first
    while (step := batched.batch(checkpoint)) is not None:
        checkpoint = step.checkpoint
        yield step


registered: dict[str, Kind] = {}


def job_kind(
    name: str,
    *,
    payload: type[Payload],
    label: str = "",
    batch_size: int = 1000,
    timeout_s: int = 240,
    max_attempts: int = 5,
    progress_s: tuple[int, int] | None = None,
    queue: str | None = None,
    idempotent: bool = True,
    asks: bool = True,
    can_downgrade: bool = False,
    estimate: Callable[[Any], dict[str, int]] | None = None,
    secret: tuple[str, ...] = (),
) -> Callable[[H], H]:
    """Register a handler as a kind of job: a generator function (work, payload), or a class.

    Args:
        name: app.verb, at most 40 characters. payload: the type of what it is asked to do. label: for people.
        batch_size: rows a batch, 500 to 2000. timeout_s: a batch that takes longer loses the job to another
            worker. max_attempts: failures at one checkpoint before it counts as failed for good.
        progress_s: after how many seconds without progress System Status warns, and after how many it is
            critical, where the budget queue.progress does not fit.
        queue: paid, free, heavy or system; by the tier when none is named.
        idempotent: False for work that reaches outside the database and must not be begun twice: where its
            worker dies in mid-batch, the job is parked for a person to decide.
        asks: whether admission is asked; the housekeeping of this product itself does not ask.
        can_downgrade: the handler looks at work.downgraded. estimate: cpu_ms, input_tokens, output_tokens.
        secret: fields of the payload that no page shows.

    Raises:
        ValueError: for a name or size that cannot be, or a name that is taken.
    """
    check(name, batch_size, timeout_s, max_attempts)
    if progress_s and not 0 < progress_s[0] <= progress_s[1]:
        raise ValueError(f"{name}: progress_s is a warning and a critical limit, not {progress_s}")

    def register(handler: H) -> H:
        registered[name] = Kind(
            name=name,
            handler=handler,
            payload=payload,
            label=label or name,
            batch_size=batch_size,
            timeout_s=timeout_s,
            max_attempts=max_attempts,
            progress_s=progress_s,
            queue=QueueClass(queue) if queue else None,
            idempotent=idempotent,
            asks=asks,
            can_downgrade=can_downgrade,
            estimate=estimate or (lambda asked: {}),
            secret=secret,
        )
        return handler

    return register


def check(name: str, batch_size: int, timeout_s: int, max_attempts: int) -> None:
    """Refuse a kind that cannot be, by name; raises ValueError."""
    if not NAME.fullmatch(name) or len(name) > 40:
        raise ValueError(f"{name!r} is no name of a job kind: write app.verb in at most 40 characters")
    if name in registered:
        raise ValueError(f"{name} is registered already: by {registered[name].handler.__module__}")
    if not BATCH_ROWS[0] <= batch_size <= BATCH_ROWS[1]:
        raise ValueError(f"{name}: batch_size={batch_size} is not within {BATCH_ROWS[0]} to {BATCH_ROWS[1]}")
    if not 1 <= timeout_s <= LONGEST_BATCH_S or max_attempts < 1:
        raise ValueError(f"{name}: timeout_s is 1 to {LONGEST_BATCH_S}, max_attempts at least 1")


def progress_limits(name: str) -> tuple[int, int] | None:
    """Return the limits on standing still that a kind declares for itself; None where it has none."""
    kind = registered.get(name)
    return kind.progress_s if kind else None


def kind_named(name: str) -> Kind:
    """Return a kind; raises UnknownKindError with what there is."""
    if name not in registered:
        raise UnknownKindError(f"there is no job kind {name!r}: there are {', '.join(sorted(registered))}")
    return registered[name]
