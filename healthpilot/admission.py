"""Whether work may run now: the question that jobs and AI calls ask, and the hook that answers it.

Who keeps budgets registers one hook; without one everything runs. The hook decides, keeps its own account and
is told the real figures afterwards.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Action = Literal["run", "downgrade", "defer"]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is about to run: whose it is, what it may take, and whether a smaller way of doing it exists.

    is_job: False where the same job asks again in its course, and for an AI call: neither is a further job.
    """

    what: str
    tier: str
    domain: str
    user_id: str | None = None
    job_id: str | None = None
    est_cpu_ms: int = 0
    est_input_tokens: int = 0
    est_output_tokens: int = 0
    model: str = ""
    can_downgrade: bool = False
    is_job: bool = True


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What the work really took since it was admitted; cached tokens are among those that went in."""

    cpu_ms: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer; true when the work may run now.

    Attributes:
        action: run, downgrade (run the smaller way) or defer.
        reason: one sentence for people; rule: the name of what decided.
        release_at: when deferred work may ask again.
        reservation: the hook's own mark of what it set aside, handed back when settling.
    """

    action: Action = "run"
    reason: str = ""
    rule: str = ""
    release_at: datetime | None = None
    reservation: object = None

    def __bool__(self) -> bool:
        return self.action != "defer"


class BudgetDeferred(Exception):  # noqa: N818 - named in the public interface
    """Work was not started, since a budget has no room for it before release_at (UTC); reason says why."""

    def __init__(self, reason: str, release_at: datetime | None) -> None:
        self.reason = reason
        self.release_at = release_at
        until = f" It may run from {release_at:%Y-%m-%d %H:%M} UTC." if release_at else ""
        super().__init__(f"{reason}{until}")


class Hook(Protocol):
    """What a keeper of budgets registers."""

    def admit(self, ask: Ask, /) -> Verdict:
        """Return the verdict, with what the work may take set aside."""

    def settle(self, verdict: Verdict, spent: Spent, /) -> None:
        """Put the real figures in place of what was set aside."""


_registered: list[Hook] = []


def register(hook: Hook) -> None:
    """Make the hook the one that is asked; one that was registered before is asked no more."""
    _registered[:] = [hook]


def unregister() -> None:
    """Ask nobody: everything runs."""
    _registered.clear()


def registered() -> Hook | None:
    """Return the hook that is asked, if there is one."""
    return _registered[0] if _registered else None


def admit(ask: Ask) -> Verdict:
    """Return whether the work may run now; without a hook it may."""
    return _registered[0].admit(ask) if _registered else Verdict()


def settle(verdict: Verdict, spent: Spent) -> None:
    """Tell the hook what admitted work really took."""
    if _registered:
        _registered[0].settle(verdict, spent)
