"""Which caps hold: PostgreSQL has them, Redis carries them to every check."""

import struct
from collections.abc import Iterable
from typing import Any, Final

from django.db import connection, transaction

from costs.models import NO_CAP, NO_CAP_USD, CostBudget
from costs.throttle.amounts import MOST, nano
from costs.throttle.counters import CAPS, Counters
from costs.throttle.scopes import Scope

NONE: Final = -1
PACKED: Final = struct.Struct("<6d")
KNOWN: Final = "known"


def caps_of(budget: CostBudget) -> tuple[int, ...]:
    """Return a budget's caps in the order of the scripts' six places, NONE where there is no cap."""
    counts = (
        budget.daily_cpu_ms_cap,
        budget.daily_jobs_cap,
        budget.llm_input_tokens_cap,
        budget.llm_output_tokens_cap,
    )
    sums = (budget.daily_cost_usd_cap, budget.monthly_cost_usd_cap)
    bounded = (NONE if cap >= NO_CAP else min(cap, MOST) for cap in counts)
    return (*bounded, *(NONE if cap >= NO_CAP_USD else nano(cap) for cap in sums))


def scope_of(budget: CostBudget) -> Scope:
    """Return the scope that a budget is for."""
    return Scope(budget.apply_scope, budget.scope_key)


def known_caps() -> dict[str, tuple[int, ...]]:
    """Return every budget's caps by the name of its scope."""
    return {scope_of(budget).name: caps_of(budget) for budget in CostBudget.objects.all()}


def publish(counters: Counters) -> None:
    """Bring every budget's caps to Redis, in one step. Raises CountersAway.

    One at a time from the reading to the writing, or one from before a change would come last.
    """
    with transaction.atomic():
        hold(KNOWN)
        caps: dict[Any, Any] = {name: PACKED.pack(*places) for name, places in known_caps().items()}

        def write() -> None:
            with counters.client.pipeline(transaction=True) as pipe:
                pipe.delete(CAPS)
                pipe.hset(CAPS, mapping=caps | {KNOWN: "1"})
                pipe.execute()

        counters.ask(write)


def hold(name: str) -> None:
    """Let one transaction at a time do what is named, from here to its end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"costs.budgets {name}"])


def capped_scopes(budgets: Iterable[CostBudget]) -> list[Scope]:
    """Return the scopes that have a budget, without the one that stands for each user."""
    scopes = (scope_of(budget) for budget in budgets)
    return [scope for scope in scopes if scope.key != "*"]
