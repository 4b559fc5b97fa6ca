"""P9: a budget check over every scope, and from a local lease, against a PING over the same connection."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Pairs, Spread
from costs.models import CostBudget
from costs.throttle import admission, caps, check_budget_and_maybe_defer, decisions, settle

TURNS: Final = 7
CHECKS: Final = 400
BARE_PING: Final = b"*1\r\n$4\r\nPING\r\n"
WORK: Final[dict[str, Any]] = {
    "tier": "pro",
    "domain": "ai",
    "user_id": "bench",
    "est_input_tokens": 1000,
    "est_output_tokens": 200,
    "model": "m",
}
SCOPES: Final = (("global", ""), ("tier", "pro"), ("domain", "ai"), ("user", "bench"))


def measure(bench: Bench) -> Measurement:
    """Time checks one by one in turns with PINGs and compare the medians; settling is not timed."""
    set_caps()
    counters = admission.state.counters
    try:
        ping = counters.client.ping
        found = against(lambda: check_budget_and_maybe_defer(**WORK), ping)
        local = against(lambda: check_budget_and_maybe_defer(**WORK, local_lease=True), ping)
        bare = against(lambda: check_budget_and_maybe_defer(**WORK), lambda: counters.exchange(BARE_PING))
    finally:
        decisions.waiting.write()
        CostBudget.objects.all().delete()
        counters.client.flushall()
    note = (
        f"check {found.ours.median * 1e6:.0f} µs, PING {found.peer.median * 1e6:.0f} µs; "
        f"with a local lease {local.cost.median:.3f} ({local.ours.median * 1e6:.1f} µs; goal 0.05); "
        f"against a bare PING ({bare.peer.median * 1e6:.0f} µs) the check is {bare.cost.median:.1f}"
    )
    return Measurement(found.cost, TURNS, note)


def set_caps() -> None:
    """Give every scope caps of all six kinds, far from reached."""
    for scope, key in SCOPES:
        CostBudget.objects.create(
            apply_scope=scope,
            scope_key=key,
            daily_cpu_ms_cap=10**12,
            daily_jobs_cap=10**12,
            llm_input_tokens_cap=10**14,
            llm_output_tokens_cap=10**14,
            daily_cost_usd_cap=Decimal(10**6),
            monthly_cost_usd_cap=Decimal(10**6),
            updated_by="bench",
        )
    caps.publish(admission.state.counters)


def against(check: Callable[[], Any], ping: Callable[[], Any]) -> Pairs:
    """Return the median seconds of a check and of a PING, turn by turn, called alternately."""
    pairs = Pairs([], [])
    for turn in range(TURNS + 1):
        ours, peer = [], []
        for _ in range(CHECKS):
            began = time.perf_counter()
            ping()
            pinged = time.perf_counter()
            verdict = check()
            checked = time.perf_counter()
            settle(verdict, input_tokens=1000, output_tokens=180, model="m")
            peer.append(pinged - began)
            ours.append(checked - pinged)
        if turn:
            pairs.ours_s.append(Spread.of(ours).median)
            pairs.peer_s.append(Spread.of(peer).median)
    return pairs
