"""What a handler sees of its job, and what it says of each batch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings


class JobRefusedError(Exception):
    """The job cannot be done however often it is tried; the text says why and how to mend it."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """How far a batch has come; committed together with what the batch wrote.

    Attributes:
        done, total: amounts of `unit`; total is None while it is not known.
        checkpoint: where the next batch begins, as JSON; the handler finds it in work.checkpoint.
        message: one line for people.
    """

    done: int
    total: int | None = None
    checkpoint: Any = None
    unit: str = "rows"
    message: str = ""


@dataclass(kw_only=True)
class Work:
    """A job as its handler sees it.

    Attributes:
        checkpoint: of the last committed batch; None at the beginning.
        downgraded: admission asks for the smaller way of doing it.
        result: what the handler leaves when it is done, as JSON.
        tokens: what the handler spent on models, for the budget's account.
    """

    id: int
    kind: str
    payload: Any
    tier: str
    user_id: str
    domain: str
    attempt: int
    batch_size: int
    checkpoint: Any
    due_at: datetime
    downgraded: bool = False
    result: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=lambda: {"input_tokens": 0, "output_tokens": 0})
    say: Callable[[Step], None] = lambda step: None

    @property
    def job_id(self) -> str:
        """Return the id as telemetry and the API write it."""
        return str(self.id)

    @property
    def folder(self) -> Path:
        """Return the folder of this job's files; they are removed with the job."""
        return folder_of(self.id)

    def report(self, done: int, total: int | None = None, *, unit: str = "rows", message: str = "") -> None:
        """Tell how far the batch has come that is not committed yet; shown, and lost when Redis is."""
        self.say(Step(done=done, total=total, unit=unit, message=message))


def folder_of(job_id: int) -> Path:
    """Return where the files of a job lie."""
    return Path(settings.HEALTHPILOT_VAR) / "exports" / str(job_id)
