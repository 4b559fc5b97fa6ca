"""Fills the daily cost tables with a month of users inside PostgreSQL, and the preset ranges from them."""

from datetime import date

from benchmarks.database import COSTS, empty, execute, tidy
from benchmarks.days import DOMAINS, MODELS, SEED
from benchmarks.figures import Bench
from costs.windows import rebuild

# A user's cost falls with the rank as in days.py, and differs from day to day.
USER_DAYS = """
INSERT INTO cost_user_daily
    (user_id, date, tier, jobs, ai_calls, cpu_ms, tokens_in, tokens_out, cost_usd, cost_exact)
SELECT 'user-' || lpad(rank::text, 6, '0'), %(today)s::date - back,
    CASE WHEN rank %% 20 = 0 THEN 'enterprise' WHEN rank %% 4 = 1 THEN 'pro' ELSE 'free' END,
    1 + events / 3, events, 2000 * events, 1800 * events, 300 * events, round(exact, 6), exact
FROM (
    SELECT rank, back, events, events * 0.00045 + (random() * 10000)::int * 0.00000015 AS exact
    FROM (
        SELECT rank, back, 1 + (40 * power(%(users)s / (rank + 1.0), 0.667) * random())::int AS events
        FROM generate_series(%(days)s - 1, 0, -1) back, generate_series(0, %(users)s - 1) rank OFFSET 0
    ) drawn OFFSET 0
) user_day
"""
GLOBAL_DAYS = """
INSERT INTO cost_global_daily
    (date, users, jobs, ai_calls, cpu_ms, tokens_in, tokens_out, cost_usd, cost_exact)
SELECT date, count(*), sum(jobs), sum(ai_calls), sum(cpu_ms), sum(tokens_in), sum(tokens_out),
    round(sum(cost_exact), 6), sum(cost_exact)
FROM cost_user_daily GROUP BY date
"""
# Domains and models cannot be told from users, so each gets an even share: only their number matters.
BREAKDOWN_DAYS = """
INSERT INTO cost_breakdown_daily
    (date, kind, key, jobs, ai_calls, cpu_ms, tokens_in, tokens_out, cost_usd, cost_exact)
SELECT date, %(kind)s, key, jobs / %(of)s, ai_calls / %(of)s, cpu_ms / %(of)s, tokens_in / %(of)s,
    tokens_out / %(of)s, round(cost_usd / %(of)s, 6), cost_exact / %(of)s
FROM cost_global_daily, unnest(%(keys)s::text[]) key
"""
BREAKDOWNS = {"tier": ["free", "pro", "enterprise"], "domain": [*DOMAINS], "model": ["", *MODELS]}


def fill(bench: Bench, today: date) -> None:
    """Give every user a cost row on each of the last days; sum up the days, their kinds and preset ranges."""
    sizes = bench.sizes
    bench.say(f"filling {sizes.range_users * sizes.range_days:,} user-days")
    empty(*COSTS)
    execute("SELECT setseed(%s)", [SEED])
    execute(USER_DAYS, {"today": today, "days": sizes.range_days, "users": sizes.range_users})
    execute(GLOBAL_DAYS)
    for kind, keys in BREAKDOWNS.items():
        execute(BREAKDOWN_DAYS, {"kind": kind, "keys": keys, "of": len(keys)})
    rebuild(today)
    tidy(*COSTS)
