"""The SQL of the usage partials: how each kind of raw event becomes sums by hour and by day."""

from dataclasses import dataclass

PARTS = ("tier", "domain", "model")
KEYS = ("user_id", *PARTS)
DAILY_KEY = ("day", *KEYS)
HOURLY_KEY = ("day", "hour", *PARTS)
USER_HOURLY_KEY = ("day", "hour", *KEYS)

DAY = "(created_at AT TIME ZONE %(tz)s)::date"
HOUR = "date_trunc('hour', created_at, %(tz)s)"

# 2^(b/4) ms bounds bucket b. The logarithm of a bound itself may come out a hair too large; the last term
# keeps it in its own bucket.
WAIT_BUCKET = "ceil(4 * ln(greatest(queue_wait_ms, 1)::float8) / ln(2::float8) - 1e-9)::smallint"


@dataclass(frozen=True)
class UsageKind:
    """One kind of raw event: its table, what stands for its model, and its sums in the partials."""

    name: str
    table: str
    model: str
    mine: str
    sums: dict[str, str]
    waits: str | None = None


def summed(*columns: str, by: str = "cost_sum") -> dict[str, str]:
    """Return columns added up under their own names.

    cost_sum is a sum() of bigint that stays bigint; for integer columns sum() does, and is faster.
    """
    return {column: f"{by}({column})" for column in columns}


JOBS = UsageKind(
    name="job",
    table="telemetry_job_events",
    model="''::varchar(40)",
    mine="kept.model = ''",
    sums={
        "jobs": "count(*)",
        "job_failures": "count(*) FILTER (WHERE NOT success)",
        "job_retries": "count(*) FILTER (WHERE attempt > 1)",
        **summed("duration_ms", "cpu_ms", "rows_read", "rows_written"),
        "failed_cpu_ms": "cost_sum(cpu_ms) FILTER (WHERE NOT success)",
        "failed_rows": "cost_sum(rows_read::bigint + rows_written) FILTER (WHERE NOT success)",
        "retried_cpu_ms": "cost_sum(cpu_ms) FILTER (WHERE attempt > 1)",
        "retried_rows": "cost_sum(rows_read::bigint + rows_written) FILTER (WHERE attempt > 1)",
    },
    waits="queue_wait_ms",
)
LLM_CALLS = UsageKind(
    name="llm",
    table="telemetry_llm_events",
    # '' stands for "no model" in the partials, so a call stored without one gets a name.
    model="CASE WHEN llm_model = '' THEN 'unknown' ELSE llm_model END",
    mine="kept.model <> ''",
    sums={
        "ai_calls": "count(*)",
        "llm_failures": "count(*) FILTER (WHERE NOT success)",
        "cache_hits": "count(*) FILTER (WHERE cache_hit)",
        **summed("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", by="sum"),
        **summed("avoided_input_tokens", "avoided_output_tokens", by="sum"),
        "llm_duration_ms": "cost_sum(duration_ms)",
        "failed_requests": "count(*) FILTER (WHERE NOT success AND NOT cache_hit)",
        "failed_input_tokens": "coalesce(sum(input_tokens) FILTER (WHERE NOT success), 0)",
        "failed_cached_tokens": "coalesce(sum(cached_input_tokens) FILTER (WHERE NOT success), 0)",
        "failed_output_tokens": "coalesce(sum(output_tokens) FILTER (WHERE NOT success), 0)",
    },
)
KINDS = {kind.name: kind for kind in (JOBS, LLM_CALLS)}


def columns_of(*names: str) -> str:
    """Return a list of columns for a statement."""
    return ", ".join(names)


def summed_raw(
    kind: UsageKind, *keys: str, where: str, by: tuple[str, ...] = KEYS, waits: str | None = None
) -> str:
    """Return the query that sums one kind's raw rows by user, tier, domain, model and further keys (SQL)."""
    sums = columns_of(*(f"{sql} AS {name}" for name, sql in kind.sums.items()))
    groups = columns_of(*(str(number + 1) for number in range(len(keys) + len(by))))
    return f"""
        SELECT {columns_of(*keys, *by[:-1], f"{kind.model} AS model")},
               {sums}, max(created_at) AS last_event_at, count({waits or "NULL"}) AS waits
        FROM {kind.table} WHERE {where} GROUP BY {groups}"""


def grouped(key: tuple[str, ...], source: str, sums: tuple[str, ...]) -> str:
    """Return the query that adds finer partials up to coarser ones."""
    total = columns_of(*(f"cost_sum({name}) AS {name}" for name in sums))
    keys = columns_of(*key)
    return f"SELECT {keys}, {total}, max(last_event_at) AS last_event_at FROM {source} GROUP BY {keys}"


def waits_by_day(kind: UsageKind, *, day: str, where: str) -> str:
    """Return the query that counts queue waits by domain and bucket."""
    return f"""
        SELECT {day} AS day, domain, {WAIT_BUCKET} AS bucket, count(*) AS waits
        FROM {kind.table} WHERE ({where}) AND {kind.waits} IS NOT NULL GROUP BY 1, 2, 3"""


def add_into(table: str, key: tuple[str, ...], sums: tuple[str, ...], query: str) -> str:
    """Return the statement that adds a query's sums to the partials that are there."""
    added = columns_of(*(f"{name} = kept.{name} + excluded.{name}" for name in sums))
    columns = columns_of(*key, *sums, "last_event_at")
    return f"""
        INSERT INTO {table} AS kept ({columns}) SELECT {columns} FROM ({query}) AS fresh
        ON CONFLICT ({columns_of(*key)}) DO UPDATE SET {added},
            last_event_at = greatest(kept.last_event_at, excluded.last_event_at)"""


def add_waits(query: str) -> str:
    """Return the statement that adds counted waits to the histogram."""
    return f"""
        INSERT INTO usage_wait_daily AS kept (day, domain, bucket, waits) {query}
        ON CONFLICT (day, domain, bucket) DO UPDATE SET waits = kept.waits + excluded.waits"""


def fold_statement(kind: UsageKind, *, by_time: bool, in_one_hour: bool, by_user_hours: bool) -> str:
    """Return the one statement that folds shipments of one kind: raw rows are read once for all grains.

    Its parameters are tz, shipments and the span first to last that holds their rows: it prunes partitions.
    Within them rows are found by_time through the key, which suits a live trickle; otherwise also through the
    block-range index on shipment, whose newest blocks are not summarised yet and are read whole each time.
    in_one_hour: all of the span lies in one local hour, given as day and hour, so that no row is asked for
    its own and the rows by day need no second sum. by_user_hours: days before today (a parameter) that are
    not among those due get their usage by hour and user as well. It returns each day with its rows.
    """
    shipment = "(shipment + 0)" if by_time else "shipment"
    where = f"""created_at BETWEEN %(first)s AND %(last)s
        AND {shipment} BETWEEN %(lowest)s AND %(highest)s AND {shipment} = ANY(%(shipments)s::bigint[])"""
    own = () if in_one_hour else (f"{DAY} AS day", f"{HOUR} AS hour")
    one = "%(day)s::date AS day, %(hour)s::timestamptz AS hour, " if in_one_hour else ""
    sums, count = tuple(kind.sums), next(iter(kind.sums))
    hours = f"(SELECT {one}fresh.* FROM fresh) AS hours"
    days = f"SELECT * FROM {hours}" if in_one_hour else grouped(DAILY_KEY, hours, sums)
    parts = [
        f"fresh AS MATERIALIZED ({summed_raw(kind, *own, where=where)})",
        f"kept_hours AS ({add_into('usage_hourly', HOURLY_KEY, sums, grouped(HOURLY_KEY, hours, sums))})",
        f"kept_days AS ({add_into('usage_daily', DAILY_KEY, sums, days)})",
    ]
    if by_user_hours:
        over = f"SELECT * FROM {hours} WHERE day < %(today)s AND day <> ALL(%(due)s::date[])"
        parts.append(f"kept_user_hours AS ({add_into('usage_user_hourly', USER_HOURLY_KEY, sums, over)})")
    if kind.waits:
        day = "%(day)s::date" if in_one_hour else DAY
        parts.append(f"kept_waits AS ({add_waits(waits_by_day(kind, day=day, where=where))})")
    return f"WITH {', '.join(parts)} SELECT day, cost_sum({count}) FROM {hours} GROUP BY day"


def raw_days(kind: UsageKind, *, where: str) -> str:
    """Return the query that sums one whole local day of one kind from raw rows; parameters as raw_rows.

    waits is how many queue waits there are, to compare the histogram with.
    """
    return summed_raw(kind, "%(day)s::date AS day", where=where, waits=kind.waits)


def raw_hours(kind: UsageKind, *, where: str, regular: bool, by: tuple[str, ...]) -> str:
    """Return the query that sums the hours of a day from raw rows by some keys; parameters as raw_rows.

    On a regular day, one without a clock change, hours are counted off from midnight: that takes a tenth of
    the time of asking the calendar for every row.
    """
    hour = "date_bin('1 hour', created_at, %(lower)s)" if regular else HOUR
    return summed_raw(kind, "%(day)s::date AS day", f"{hour} AS hour", where=where, by=by)


def is_among(wrong: str, model: str = "model") -> str:
    """Return the condition that a row's key is one of a table's; model is SQL for the row's model."""
    return f"(user_id, tier, domain, {model}) IN (SELECT user_id, tier, domain, model FROM {wrong})"


def unequal_totals(kind: UsageKind, table: str, fresh: str, *, names: tuple[str, ...]) -> str:
    """Return the query that says whether the day's kept rows and the fresh day add up to other totals.

    Totals by tier and domain, with a check sum over further names (users, models): they find rows lost,
    doubled, altered or moved at a fraction of the time that comparing every key takes.
    """
    checks = (*kind.sums, "keys", "last_event_at")
    kept = totals(kind, f"{table} AS kept WHERE kept.day = %(day)s AND {kind.mine}", names)
    differs = " OR ".join(f"kept.{name} IS DISTINCT FROM fresh.{name}" for name in checks)
    return f"""
        SELECT EXISTS (
            SELECT FROM ({kept}) AS kept FULL JOIN ({totals(kind, fresh, names)}) AS fresh
        USING (tier, domain) WHERE {differs})"""


def totals(kind: UsageKind, source: str, names: tuple[str, ...]) -> str:
    """Return the query for one kind's totals by tier and domain."""
    sums = columns_of(*(f"cost_sum({name}) AS {name}" for name in kind.sums))
    count = next(iter(kind.sums))
    hashes = " + ".join(f"hashtext({name})::bigint" for name in names)
    keys = f"cost_sum(({hashes} & 65535) * {count}) AS keys"
    last = "max(last_event_at) AS last_event_at"
    return f"SELECT tier, domain, {sums}, {keys}, {last} FROM {source} GROUP BY tier, domain"


def unequal_waits(fresh: str) -> str:
    """Return the query that says whether the histogram holds other numbers of waits than the fresh day."""
    return f"""
        SELECT EXISTS (
            SELECT FROM (
                SELECT domain, sum(waits) AS waits FROM usage_wait_daily WHERE day = %(day)s GROUP BY 1
            ) AS kept
            FULL JOIN (SELECT domain, sum(waits) AS waits FROM {fresh} GROUP BY 1) AS fresh USING (domain)
            WHERE coalesce(kept.waits, 0) <> coalesce(fresh.waits, 0))"""


def wrong_keys(kind: UsageKind, fresh: str) -> str:
    """Return the query for the keys of a day whose kept hours by user do not add up to the fresh day."""
    sums = (*kind.sums, "last_event_at")
    of_day = f"usage_user_hourly AS kept WHERE kept.day = %(day)s AND {kind.mine}"
    kept = grouped(DAILY_KEY, of_day, tuple(kind.sums))
    differs = " OR ".join(f"kept.{name} IS DISTINCT FROM fresh.{name}" for name in sums)
    keys = columns_of(*DAILY_KEY)
    return f"SELECT {keys} FROM ({kept}) AS kept FULL JOIN {fresh} AS fresh USING ({keys}) WHERE {differs}"


def raw_rows(kind: UsageKind, *, exact: bool) -> str:
    """Return the condition for a local day's raw rows, without those still to be folded.

    Parameters: day, tz, lower and upper (see days.day_bounds).
    """
    pending = f"""SELECT shipment FROM telemetry_shipments
        WHERE kind = '{kind.name}' AND first_created_at < %(upper)s AND last_created_at >= %(lower)s"""
    # Mostly nothing is pending, and looking that up once saves a look at every row.
    condition = f"""created_at >= %(lower)s AND created_at < %(upper)s
        AND ((SELECT NOT EXISTS ({pending})) OR shipment NOT IN ({pending}))"""
    return condition if exact else f"{condition} AND (created_at AT TIME ZONE %(tz)s)::date = %(day)s"


def renew_in(table: str, key: tuple[str, ...], values: tuple[str, ...], fresh: str) -> str:
    """Return the statement that takes over the rows of a fresh day that a table lacks or has otherwise."""
    same = " AND ".join(f"kept.{name} = fresh.{name}" for name in key)
    differs = " OR ".join(f"kept.{name} IS DISTINCT FROM fresh.{name}" for name in values)
    columns = columns_of(*key, *values)
    fresh_columns = columns_of(*(f"fresh.{name}" for name in (*key, *values)))
    updates = columns_of(*(f"{name} = excluded.{name}" for name in values))
    return f"""
        INSERT INTO {table} ({columns}) SELECT {fresh_columns} FROM {fresh} AS fresh
        LEFT JOIN {table} AS kept ON kept.day = %(day)s AND {same} WHERE {differs}
        ON CONFLICT ({columns_of(*key)}) DO UPDATE SET {updates}"""


def vanish_in(table: str, key: tuple[str, ...], fresh: str, *, only: str) -> str:
    """Return the statement that deletes a day's rows that the fresh day lacks, where `only` holds."""
    same = " AND ".join(f"kept.{name} = fresh.{name}" for name in key)
    return f"""
        DELETE FROM {table} AS kept WHERE kept.day = %(day)s AND {only}
        AND NOT EXISTS (SELECT FROM {fresh} AS fresh WHERE {same})"""
