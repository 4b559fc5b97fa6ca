"""Answers jobs and AI calls that ask whether they may run: budgets are the admission hook."""

from typing import Any

from costs.throttle.admission import check_budget_and_maybe_defer, settle
from costs.throttle.verdict import Verdict
from healthpilot import admission


class BudgetHook:
    """The keeper of budgets, as healthpilot.admission asks it."""

    def admit(self, ask: admission.Ask, /) -> admission.Verdict:
        """Return the budgets' verdict, its lease as the reservation."""
        found = check_budget_and_maybe_defer(
            tier=ask.tier,
            domain=ask.domain,
            user_id=ask.user_id,
            est_cpu_ms=ask.est_cpu_ms,
            est_input_tokens=ask.est_input_tokens,
            est_output_tokens=ask.est_output_tokens,
            model=ask.model,
            may_downgrade=ask.can_downgrade,
            jobs=1 if ask.is_job else 0,
        )
        rule = f"{found.rule.scope} {found.rule.place}" if found.rule else ""
        return admission.Verdict(
            action=found.action,
            reason=found.reason,
            rule=rule,
            release_at=found.release_at,
            reservation=found,
        )

    def settle(self, verdict: admission.Verdict, spent: admission.Spent, /) -> None:
        """Put the real figures in place of what was reserved."""
        held: Any = verdict.reservation
        if isinstance(held, Verdict):
            settle(
                held,
                cpu_ms=spent.cpu_ms,
                input_tokens=spent.input_tokens,
                cached_input_tokens=spent.cached_input_tokens,
                output_tokens=spent.output_tokens,
                model=spent.model,
            )
