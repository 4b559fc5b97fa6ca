"""Which caps hold: PostgreSQL has them, Redis carries them to every check."""

from collections.abc import Iterable
from typing import Any, Final

from costs.models import NO_CAP, NO_CAP_USD, CostBudget
from costs.throttle.amounts import MOST, nano
from costs.throttle.counters import CAPS, Counters
from costs.throttle.scopes import Scope

NONE: Final = "-"
KNOWN: Final = "known"


def packed(budget: CostBudget) -> str:
    """Return a budget's caps as the scripts read them: six whole numbers in the order of the places."""
    counts = (
        budget.daily_cpu_ms_cap,
        budget.daily_jobs_cap,
        budget.llm_input_tokens_cap,
        budget.llm_output_tokens_cap,
    )
    sums = (budget.daily_cost_usd_cap, budget.monthly_cost_usd_cap)
    words = [NONE if cap >= NO_CAP else str(min(cap, MOST)) for cap in counts]
    return " ".join([*words, *(NONE if cap >= NO_CAP_USD else str(nano(cap)) for cap in sums)])


def scope_of(budget: CostBudget) -> Scope:
    """Return the scope that a budget is for."""
    return Scope(budget.apply_scope, budget.scope_key)


def publish(counters: Counters) -> dict[str, str]:
    """Bring every budget's caps to Redis, in one step; returns them by scope name. Raises CountersAway."""
    caps = {scope_of(budget).name: packed(budget) for budget in CostBudget.objects.all()}

    def write() -> None:
        with counters.client.pipeline(transaction=True) as pipe:
            pipe.delete(CAPS)
            pipe.hset(CAPS, mapping=dict[Any, Any](caps) | {KNOWN: "1"})
            pipe.execute()

    counters.ask(write)
    return caps


def capped_scopes(budgets: Iterable[CostBudget]) -> list[Scope]:
    """Return the scopes that have a budget, without the one that stands for each user."""
    scopes = (scope_of(budget) for budget in budgets)
    return [scope for scope in scopes if scope.key != "*"]
