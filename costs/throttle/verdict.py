"""What a budget check answers, and why."""

from datetime import datetime
from typing import Final, Literal, NamedTuple

from costs.throttle.amounts import Amounts, usd
from costs.throttle.scopes import Scope
from healthpilot.web import numbers

Action = Literal["run", "downgrade", "defer"]
PLACES: Final = ("cpu_ms", "jobs", "input_tokens", "output_tokens", "day_usd", "month_usd")
NAMES: Final = {
    "cpu_ms": "CPU time",
    "jobs": "jobs",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "day_usd": "spend of the day",
    "month_usd": "spend of the month",
}


class Rule(NamedTuple):
    """The cap that decided, with its counters at that moment; amounts as Amounts counts them.

    limit is the part of the cap that this tier may use; used holds settled work, reserved that under way.
    """

    scope: Scope
    place: str
    cap: int
    limit: int
    used: int
    reserved: int
    needed: int

    @property
    def window(self) -> str:
        return "month" if self.place == "month_usd" else "day"

    def sentence(self) -> str:
        """Say in one sentence what stands in the way."""
        share = "" if self.limit == self.cap else f" ({self.shown(self.limit)} for this tier)"
        said = f"leaves no room for {self.shown(self.needed)}" if self.needed else "is used up"
        taken = f"{self.shown(self.used)} used"
        if self.reserved:
            taken += f" and {self.shown(self.reserved)} reserved"
        return f"The {self.window}'s cap of {self.shown(self.cap)} for {self.scope}{share} {said}: {taken}."

    def shown(self, amount: int) -> str:
        """Return an amount with its unit."""
        if self.place.endswith("_usd"):
            return f"${numbers.plain(usd(amount))}"
        unit = "ms of CPU" if self.place == "cpu_ms" else NAMES[self.place]
        return f"{amount:,} {unit.removesuffix('s') if amount == 1 and unit.endswith('s') else unit}"


class Verdict(NamedTuple):
    """Whether work may run now; true when it may. See check_budget_and_maybe_defer.

    action: run, downgrade (run with the smaller model) or defer. reason: one sentence. release_at: when
    deferred work may be tried again (UTC). rule: the cap that decided, or comes closest. lease: what settle
    takes; empty where nothing was reserved.
    """

    action: Action
    reason: str = ""
    release_at: datetime | None = None
    rule: Rule | None = None
    lease: str = ""
    reserved: Amounts = Amounts()

    def __bool__(self) -> bool:
        return self.action != "defer"
