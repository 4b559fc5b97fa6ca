"""The SQL of the rollup: integer sums per user and per part, compared with what is kept, then replaced.

Money is summed as whole units of 10^-places USD (see rates.Weights). {whole} is bigint, whose arithmetic
PostgreSQL checks for overflow, or numeric with sum() for days that overflow it; both give the same digits.
"""

WHOLE_TYPES = ({"whole": "bigint", "total": "cost_sum"}, {"whole": "numeric", "total": "sum"})

# What money was saved and wasted, in units: shown apart from what was spent.
MONEY_SUMS = ("saved_skipped", "saved_cached", "failed", "retried")

PRICED = """
    SELECT user_id, tier, domain, usage.model, last_event_at, jobs, job_failures, ai_calls, llm_failures,
        cache_hits, cpu_ms, input_tokens, cached_input_tokens, output_tokens,
        avoided_input_tokens, avoided_output_tokens, job_retries, price.id AS price_id,
        CASE WHEN price.model IS NULL THEN ai_calls ELSE 0 END AS unpriced_calls,
        cpu_ms::{whole} * %(cpu)s + (rows_read + rows_written)::{whole} * %(row)s
        + (input_tokens - cached_input_tokens)::{whole} * coalesce(price.input_usd, %(any_input_usd)s)
        + cached_input_tokens::{whole} * coalesce(price.cached_usd, %(any_cached_usd)s)
        + output_tokens::{whole} * coalesce(price.output_usd, %(any_output_usd)s)
        + (ai_calls - cache_hits)::{whole} * coalesce(price.request_usd, %(any_request_usd)s) AS units,
        avoided_input_tokens::{whole} * coalesce(price.input_usd, %(any_input_usd)s)
        + avoided_output_tokens::{whole} * coalesce(price.output_usd, %(any_output_usd)s)
        + cache_hits::{whole} * coalesce(price.request_usd, %(any_request_usd)s) AS saved_skipped,
        cached_input_tokens::{whole} * (coalesce(price.input_usd, %(any_input_usd)s)
            - coalesce(price.cached_usd, %(any_cached_usd)s)) AS saved_cached,
        failed_cpu_ms::{whole} * %(cpu)s + failed_rows::{whole} * %(row)s
        + (failed_input_tokens - failed_cached_tokens)::{whole} * coalesce(price.input_usd, %(any_input_usd)s)
        + failed_cached_tokens::{whole} * coalesce(price.cached_usd, %(any_cached_usd)s)
        + failed_output_tokens::{whole} * coalesce(price.output_usd, %(any_output_usd)s)
        + failed_requests::{whole} * coalesce(price.request_usd, %(any_request_usd)s) AS failed,
        retried_cpu_ms::{whole} * %(cpu)s + retried_rows::{whole} * %(row)s AS retried
    FROM usage_daily AS usage
    LEFT JOIN unnest(%(models)s::text[], %(input_usd)s::{whole}[], %(cached_usd)s::{whole}[],
                     %(output_usd)s::{whole}[], %(request_usd)s::{whole}[], %(price_ids)s::bigint[])
        AS price (model, input_usd, cached_usd, output_usd, request_usd, id) ON price.model = usage.model
    WHERE day = %(day)s"""

USERS = f"""
CREATE TEMP TABLE rollup_users ON COMMIT DROP AS
SELECT user_id, min(tier) AS tier, max(tier) AS last_tier,
    cost_sum(jobs) AS jobs, cost_sum(ai_calls) AS ai_calls, cost_sum(cpu_ms) AS cpu_ms,
    cost_sum(input_tokens) AS tokens_in, cost_sum(output_tokens) AS tokens_out, {{total}}(units) AS units
FROM ({PRICED}) AS priced GROUP BY user_id"""

# The few users who had several tiers that day get that of their last event (the later name in a tie).
LAST_TIERS = """
UPDATE rollup_users SET tier = newest.tier
FROM (
    SELECT DISTINCT ON (user_id) user_id, usage.tier
    FROM usage_daily AS usage JOIN rollup_users AS several USING (user_id)
    WHERE day = %(day)s AND several.tier <> several.last_tier
    ORDER BY user_id, last_event_at DESC, usage.tier DESC
) AS newest
WHERE rollup_users.user_id = newest.user_id AND rollup_users.tier <> newest.tier"""

PARTS = f"""
CREATE TEMP TABLE rollup_parts ON COMMIT DROP AS
SELECT tier, domain, model,
    cost_sum(jobs) AS jobs, cost_sum(job_failures) AS job_failures, cost_sum(ai_calls) AS ai_calls,
    cost_sum(llm_failures) AS llm_failures, cost_sum(cache_hits) AS cache_hits,
    cost_sum(unpriced_calls) AS unpriced_calls, cost_sum(cpu_ms) AS cpu_ms,
    cost_sum(input_tokens) AS tokens_in, cost_sum(cached_input_tokens) AS cached_tokens,
    cost_sum(output_tokens) AS tokens_out, cost_sum(avoided_input_tokens) AS avoided_tokens_in,
    cost_sum(avoided_output_tokens) AS avoided_tokens_out, cost_sum(job_retries) AS job_retries,
    max(price_id) AS price_id, {{total}}(units) AS units,
    {", ".join(f"{{total}}({name}) AS {name}" for name in MONEY_SUMS)}
FROM ({PRICED}) AS priced GROUP BY tier, domain, model"""

GLOBAL_SUMS = (
    "jobs",
    "job_failures",
    "ai_calls",
    "llm_failures",
    "cache_hits",
    "unpriced_calls",
    "cpu_ms",
    "tokens_in",
    "cached_tokens",
    "tokens_out",
    "avoided_tokens_in",
    "avoided_tokens_out",
    "job_retries",
)
BREAKDOWN_SUMS = (
    "jobs",
    "job_failures",
    "ai_calls",
    "cache_hits",
    "unpriced_calls",
    "cpu_ms",
    "tokens_in",
    "cached_tokens",
    "tokens_out",
)
USER_SUMS = ("jobs", "ai_calls", "cpu_ms", "tokens_in", "tokens_out")

TOTALS = f"""
SELECT (SELECT count(*) FROM rollup_users), coalesce(sum(units), 0)::numeric,
    {", ".join(f"coalesce(sum({name}), 0)::numeric" for name in MONEY_SUMS)},
    {", ".join(f"coalesce(cost_sum({name}), 0)" for name in GLOBAL_SUMS)} FROM rollup_parts"""

# Largest remainder: shares are cut to micro-dollars (unit = 10^(places - 6) units), and the micro-dollars
# that the rounded total has beyond them go to the largest remainders, ties by user in byte order.
USER_CHANGES = f"""
CREATE TEMP TABLE rollup_changes ON COMMIT DROP AS
WITH shares AS MATERIALIZED (
    SELECT *, div(units, %(unit)s) AS micros, mod(units, %(unit)s) AS remainder FROM rollup_users
), lifted AS (
    SELECT user_id FROM shares ORDER BY remainder DESC, user_id
    LIMIT %(micros)s - (SELECT coalesce(sum(micros), 0) FROM shares)
), fresh AS (
    SELECT shares.*, units * %(scale)s::numeric AS cost_exact,
        ((micros + CASE WHEN lifted.user_id IS NULL THEN 0 ELSE 1 END) * 0.000001)::numeric(18, 6) AS cost_usd
    FROM shares LEFT JOIN lifted USING (user_id)
), kept AS (
    SELECT * FROM cost_user_daily WHERE date = %(day)s
)
SELECT user_id, fresh.tier, fresh.cost_usd, fresh.cost_exact, fresh.user_id IS NOT NULL AS is_fresh,
    {", ".join(f"fresh.{name}" for name in USER_SUMS)}, kept.user_id IS NOT NULL AS was_kept,
    kept.tier AS was_tier,
    {", ".join(f"coalesce(kept.{name}, 0) AS was_{name}" for name in (*USER_SUMS, "cost_exact"))}
FROM fresh FULL JOIN kept USING (user_id)
WHERE {
    " OR ".join(
        f"fresh.{name} IS DISTINCT FROM kept.{name}"
        for name in ("cost_exact", "cost_usd", "tier", *USER_SUMS)
    )
}"""

DELETE_USERS = """
DELETE FROM cost_user_daily USING rollup_changes AS change
WHERE date = %(day)s AND cost_user_daily.user_id = change.user_id AND NOT change.is_fresh"""

UPSERT_USERS = f"""
INSERT INTO cost_user_daily (user_id, date, tier, cost_usd, cost_exact, {", ".join(USER_SUMS)})
SELECT user_id, %(day)s, tier, cost_usd, cost_exact, {", ".join(USER_SUMS)} FROM rollup_changes WHERE is_fresh
ON CONFLICT (user_id, date) DO UPDATE SET tier = excluded.tier, cost_usd = excluded.cost_usd,
    cost_exact = excluded.cost_exact, {", ".join(f"{name} = excluded.{name}" for name in USER_SUMS)},
    updated_at = clock_timestamp()"""

FRESH_BREAKDOWN = f"""
CREATE TEMP TABLE rollup_breakdown ON COMMIT DROP AS
WITH sums AS (
    SELECT CASE WHEN grouping(tier) = 0 THEN 'tier' WHEN grouping(domain) = 0 THEN 'domain' ELSE 'model' END
            AS kind,
        coalesce(tier, domain, model) AS key,
        CASE WHEN grouping(model) = 0 THEN max(price_id) END AS price_id,
        {", ".join(f"cost_sum({name}) AS {name}" for name in BREAKDOWN_SUMS)}, sum(units)::numeric AS units
    FROM rollup_parts GROUP BY GROUPING SETS ((tier), (domain), (model))
), shares AS (
    SELECT *, div(units, %(unit)s) AS micros,
        row_number() OVER (PARTITION BY kind ORDER BY mod(units, %(unit)s) DESC, key) AS place
    FROM sums
)
SELECT kind, key, price_id, {", ".join(BREAKDOWN_SUMS)}, units * %(scale)s::numeric AS cost_exact,
    ((micros + CASE WHEN place <= %(micros)s - sum(micros) OVER (PARTITION BY kind) THEN 1 ELSE 0 END)
        * 0.000001)::numeric(18, 6) AS cost_usd
FROM shares"""

DELETE_BREAKDOWN = """
DELETE FROM cost_breakdown_daily AS kept WHERE date = %(day)s
AND NOT EXISTS (
    SELECT FROM rollup_breakdown AS fresh WHERE fresh.kind = kept.kind AND fresh.key = kept.key)"""

BREAKDOWN_VALUES = ("price_id", "cost_usd", "cost_exact", *BREAKDOWN_SUMS)
UPSERT_BREAKDOWN = f"""
INSERT INTO cost_breakdown_daily (date, kind, key, {", ".join(BREAKDOWN_VALUES)})
SELECT %(day)s, fresh.kind, fresh.key, {", ".join(f"fresh.{name}" for name in BREAKDOWN_VALUES)}
FROM rollup_breakdown AS fresh LEFT JOIN cost_breakdown_daily AS kept
    ON kept.date = %(day)s AND kept.kind = fresh.kind AND kept.key = fresh.key
WHERE {" OR ".join(f"fresh.{name} IS DISTINCT FROM kept.{name}" for name in BREAKDOWN_VALUES)}
ON CONFLICT (date, kind, key) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in BREAKDOWN_VALUES)}, updated_at = clock_timestamp()"""

TIERS = """
SELECT key, jobs, ai_calls, cpu_ms, tokens_in, tokens_out, cost_usd, cost_exact
FROM rollup_breakdown WHERE kind = 'tier' ORDER BY key"""

MONEY_EXACT = tuple(f"{name}_exact" for name in MONEY_SUMS)
GLOBAL_VALUES = ("users", *GLOBAL_SUMS, *MONEY_EXACT, "cost_usd", "cost_exact", "tier_breakdown_json")
UPSERT_GLOBAL = f"""
INSERT INTO cost_global_daily AS kept (date, {", ".join(GLOBAL_VALUES)})
VALUES (%(day)s, {", ".join(f"%({name})s" for name in GLOBAL_VALUES)})
ON CONFLICT (date) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in GLOBAL_VALUES)},
    updated_at = clock_timestamp()
WHERE ({", ".join(f"kept.{name}" for name in GLOBAL_VALUES)})
    IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in GLOBAL_VALUES)})"""

# Holding the row keeps folds of this day from committing, so whatever is noted as dirty is in this rollup.
FINISH = """
UPDATE cost_days SET dirty_at = NULL, rolled_up_at = clock_timestamp(), updated_at = clock_timestamp(),
    constants_json = %(constants)s::jsonb,
    closed_at = CASE WHEN %(is_due)s THEN coalesce(closed_at, clock_timestamp()) ELSE closed_at END,
    lease_pid = NULL, lease_until = NULL
WHERE date = %(day)s"""
