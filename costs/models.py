"""Usage partials, prices and the daily cost tables."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now

from telemetry.models import key_field

RANGE_DAYS = (7, 30, 90)
NO_CAP = 2**63 - 1
NO_CAP_USD = Decimal("999999999999.999999")


class ExactDecimalField(models.Field):  # type: ignore[type-arg] # not subscriptable at run time
    """PostgreSQL's numeric without bound: an exact sum of money, never rounded."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "numeric"

    def to_python(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(value)


class UsageSums(models.Model):
    """The sums that both grains of the usage partials keep; model is '' for jobs."""

    day = models.DateField()
    user_id = key_field(40)
    tier = key_field(16)
    domain = key_field(16)
    model = key_field(40)
    jobs = models.BigIntegerField(db_default=0)
    job_failures = models.BigIntegerField(db_default=0)
    job_retries = models.BigIntegerField(db_default=0)
    duration_ms = models.BigIntegerField(db_default=0)
    cpu_ms = models.BigIntegerField(db_default=0)
    rows_read = models.BigIntegerField(db_default=0)
    rows_written = models.BigIntegerField(db_default=0)
    ai_calls = models.BigIntegerField(db_default=0)
    llm_failures = models.BigIntegerField(db_default=0)
    cache_hits = models.BigIntegerField(db_default=0)
    input_tokens = models.BigIntegerField(db_default=0)
    cached_input_tokens = models.BigIntegerField(db_default=0)
    output_tokens = models.BigIntegerField(db_default=0)
    reasoning_tokens = models.BigIntegerField(db_default=0)
    avoided_input_tokens = models.BigIntegerField(db_default=0)
    avoided_output_tokens = models.BigIntegerField(db_default=0)
    llm_duration_ms = models.BigIntegerField(db_default=0)
    # What failed attempts and retries used, so that waste is priced without a look at raw events.
    failed_cpu_ms = models.BigIntegerField(db_default=0)
    failed_rows = models.BigIntegerField(db_default=0)
    retried_cpu_ms = models.BigIntegerField(db_default=0)
    retried_rows = models.BigIntegerField(db_default=0)
    failed_requests = models.BigIntegerField(db_default=0)
    failed_input_tokens = models.BigIntegerField(db_default=0)
    failed_cached_tokens = models.BigIntegerField(db_default=0)
    failed_output_tokens = models.BigIntegerField(db_default=0)
    last_event_at = models.DateTimeField()

    class Meta:
        abstract = True


class UsageHourly(UsageSums):
    """Usage of one local hour; hour is the UTC instant at which it begins."""

    pk = models.CompositePrimaryKey("day", "hour", "user_id", "tier", "domain", "model")
    hour = models.DateTimeField()

    class Meta:
        db_table = "usage_hourly"

    def __str__(self) -> str:
        return f"{self.user_id} at {self.hour:%Y-%m-%d %H:%M}"


class UsageDaily(UsageSums):
    """Usage of one local day of COST_TIMEZONE."""

    pk = models.CompositePrimaryKey("day", "user_id", "tier", "domain", "model")

    class Meta:
        db_table = "usage_daily"

    def __str__(self) -> str:
        return f"{self.user_id} on {self.day}"


class UsageWaitDaily(models.Model):
    """Queue waits per domain as a histogram; bucket b holds waits of up to 2^(b/4) ms."""

    pk = models.CompositePrimaryKey("day", "domain", "bucket")
    day = models.DateField()
    domain = key_field(16)
    bucket = models.SmallIntegerField()
    waits = models.BigIntegerField()

    class Meta:
        db_table = "usage_wait_daily"

    def __str__(self) -> str:
        return f"{self.domain} on {self.day}: {self.waits}"


class CostSettings(models.Model):
    """One row: the time zone that the partials' days were built in."""

    id = models.SmallIntegerField(primary_key=True, db_default=1)
    timezone = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_settings"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="cost_settings_one_row")]

    def __str__(self) -> str:
        return self.timezone


class CostDay(models.Model):
    """Where one local day stands: changed since its rollup, rolled up, closed, and who holds it now.

    lease_token is a fencing token: a rollup writes only while the token is the one it claimed. constants_json
    holds the environment's prices that the last rollup used.
    """

    date = models.DateField(primary_key=True)
    dirty_at = models.DateTimeField(null=True)
    rolled_up_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    constants_json = models.JSONField(null=True)
    lease_token = models.BigIntegerField(db_default=0)
    lease_pid = models.IntegerField(null=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_days"
        indexes = [
            # The minute tick asks for these two sets; both stay tiny while the table grows a row a day.
            models.Index(fields=["date"], name="cost_days_dirty", condition=models.Q(dirty_at__isnull=False)),
            models.Index(fields=["date"], name="cost_days_open", condition=models.Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return str(self.date)


class CostUserDaily(models.Model):
    """What one user cost on one local day; tier is that of the user's last event of the day."""

    pk = models.CompositePrimaryKey("user_id", "date")
    user_id = key_field(40)
    date = models.DateField()
    tier = key_field(16)
    jobs = models.IntegerField(db_default=0)
    ai_calls = models.IntegerField(db_default=0)
    cpu_ms = models.BigIntegerField(db_default=0)
    tokens_in = models.BigIntegerField(db_default=0)
    tokens_out = models.BigIntegerField(db_default=0)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=6)
    cost_exact = ExactDecimalField()
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_user_daily"
        indexes = [
            models.Index(fields=["date"], name="cost_user_daily_date"),
            models.Index(fields=["tier", "date"], name="cost_user_daily_tier_date"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.date}: {self.cost_usd}"


class CostGlobalDaily(models.Model):
    """What everything cost on one local day."""

    date = models.DateField(primary_key=True)
    users = models.IntegerField(db_default=0)
    jobs = models.BigIntegerField(db_default=0)
    job_failures = models.BigIntegerField(db_default=0)
    ai_calls = models.BigIntegerField(db_default=0)
    llm_failures = models.BigIntegerField(db_default=0)
    cache_hits = models.BigIntegerField(db_default=0)
    unpriced_calls = models.BigIntegerField(db_default=0)
    cpu_ms = models.BigIntegerField(db_default=0)
    tokens_in = models.BigIntegerField(db_default=0)
    cached_tokens = models.BigIntegerField(db_default=0)
    tokens_out = models.BigIntegerField(db_default=0)
    avoided_tokens_in = models.BigIntegerField(db_default=0)
    avoided_tokens_out = models.BigIntegerField(db_default=0)
    job_retries = models.BigIntegerField(db_default=0)
    saved_skipped_exact = ExactDecimalField(db_default=0)
    saved_cached_exact = ExactDecimalField(db_default=0)
    failed_exact = ExactDecimalField(db_default=0)
    retried_exact = ExactDecimalField(db_default=0)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=6)
    cost_exact = ExactDecimalField()
    tier_breakdown_json = models.JSONField(db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_global_daily"

    def __str__(self) -> str:
        return f"{self.date}: {self.cost_usd}"


class CostBreakdownDaily(models.Model):
    """One day's cost by tier, domain or model; each kind sums to the day's global row.

    price_id names the price row that made a model's figure, null where the constants did.
    """

    pk = models.CompositePrimaryKey("date", "kind", "key")
    date = models.DateField()
    kind = key_field(8)
    key = key_field(40)
    price_id = models.BigIntegerField(null=True)
    jobs = models.BigIntegerField(db_default=0)
    job_failures = models.BigIntegerField(db_default=0)
    ai_calls = models.BigIntegerField(db_default=0)
    cache_hits = models.BigIntegerField(db_default=0)
    unpriced_calls = models.BigIntegerField(db_default=0)
    cpu_ms = models.BigIntegerField(db_default=0)
    tokens_in = models.BigIntegerField(db_default=0)
    cached_tokens = models.BigIntegerField(db_default=0)
    tokens_out = models.BigIntegerField(db_default=0)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=6)
    cost_exact = ExactDecimalField()
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_breakdown_daily"

    def __str__(self) -> str:
        return f"{self.kind} {self.key} on {self.date}"


class CostWindow(models.Model):
    """Which local days a preset range holds now: the N days that end on ends_on."""

    days = models.SmallIntegerField(primary_key=True)
    ends_on = models.DateField()
    users = models.BigIntegerField(db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_windows"

    def __str__(self) -> str:
        return f"{self.days} days to {self.ends_on}"


class CostUserWindow(models.Model):
    """One user's sums over a preset range: the right grain for a top list over millions of user-days.

    tier is that of last_on, the user's newest day in the range.
    """

    pk = models.CompositePrimaryKey("days", "user_id")
    days = models.SmallIntegerField()
    user_id = key_field(40)
    tier = key_field(16)
    last_on = models.DateField()
    user_days = models.IntegerField(db_default=0)
    jobs = models.BigIntegerField(db_default=0)
    ai_calls = models.BigIntegerField(db_default=0)
    cpu_ms = models.BigIntegerField(db_default=0)
    tokens_in = models.BigIntegerField(db_default=0)
    tokens_out = models.BigIntegerField(db_default=0)
    cost_exact = ExactDecimalField()
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_user_window"
        indexes = [models.Index(fields=["days", "-cost_exact", "user_id"], name="cost_user_window_top")]

    def __str__(self) -> str:
        return f"{self.user_id} over {self.days} days"


class ModelPrice(models.Model):
    """What a model costs from one local day on, per million tokens; constants apply where no row does.

    Amounts are never edited: a new row ends the one before it, or supersedes one that began on the same day.
    Rows that are not superseded never overlap (an exclusion constraint), so one at most applies to a day.
    """

    llm_model = key_field(40)
    provider = key_field(32, db_default="")
    effective_from = models.DateField()
    effective_to = models.DateField(null=True)
    input_usd_per_million = models.DecimalField(max_digits=18, decimal_places=9)
    cached_input_usd_per_million = models.DecimalField(max_digits=18, decimal_places=9)
    output_usd_per_million = models.DecimalField(max_digits=18, decimal_places=9)
    request_usd = models.DecimalField(max_digits=18, decimal_places=9, db_default=0)
    source = models.CharField(max_length=40)
    reason = models.CharField(max_length=200, db_default="")
    created_by = models.CharField(max_length=150, db_default="")
    superseded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_model_prices"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(effective_to=None) | models.Q(effective_to__gt=models.F("effective_from")),
                name="cost_model_prices_span",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    input_usd_per_million__gte=0,
                    cached_input_usd_per_million__gte=0,
                    output_usd_per_million__gte=0,
                    request_usd__gte=0,
                ),
                name="cost_model_prices_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.llm_model} from {self.effective_from}"

    @property
    def is_free(self) -> bool:
        """Every amount is zero: right for a model of one's own, else a price that nobody filled in."""
        return not any(self.amounts)

    @property
    def amounts(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Return the four amounts: input, cached input and output per million tokens, and per request."""
        return (
            self.input_usd_per_million,
            self.cached_input_usd_per_million,
            self.output_usd_per_million,
            self.request_usd,
        )


class CostBudget(models.Model):
    """Caps on what one scope may take in a local day, and its spend in a month; one row a scope.

    A cap of 0 admits nothing; the type's maximum (NO_CAP, NO_CAP_USD) is no cap.
    """

    apply_scope = key_field(16)
    scope_key = key_field(40, db_default="")
    daily_cpu_ms_cap = models.BigIntegerField(db_default=NO_CAP)
    daily_jobs_cap = models.BigIntegerField(db_default=NO_CAP)
    llm_input_tokens_cap = models.BigIntegerField(db_default=NO_CAP)
    llm_output_tokens_cap = models.BigIntegerField(db_default=NO_CAP)
    daily_cost_usd_cap = models.DecimalField(max_digits=18, decimal_places=6, db_default=NO_CAP_USD)
    monthly_cost_usd_cap = models.DecimalField(max_digits=18, decimal_places=6, db_default=NO_CAP_USD)
    updated_by = models.CharField(max_length=80)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cost_budgets"
        constraints = [
            models.UniqueConstraint(fields=["apply_scope", "scope_key"], name="cost_budgets_once"),
            models.CheckConstraint(
                condition=models.Q(apply_scope="global", scope_key="")
                | (models.Q(apply_scope__in=["tier", "domain", "user"]) & ~models.Q(scope_key="")),
                name="cost_budgets_scope",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    daily_cpu_ms_cap__gte=0,
                    daily_jobs_cap__gte=0,
                    llm_input_tokens_cap__gte=0,
                    llm_output_tokens_cap__gte=0,
                    daily_cost_usd_cap__gte=0,
                    monthly_cost_usd_cap__gte=0,
                ),
                name="cost_budgets_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.apply_scope} {self.scope_key}".strip()


class CostDecision(models.Model):
    """What budget checks answered in one minute for the same work under the same rule, with its counters."""

    decided_at = models.DateTimeField(db_default=Now())
    day = models.DateField()
    action = key_field(16)
    tier = key_field(16)
    domain = key_field(16)
    user_id = key_field(40, db_default="")
    checks = models.BigIntegerField(db_default=1)
    rule_scope = key_field(64, db_default="")
    rule_place = key_field(16, db_default="")
    rule_cap = models.BigIntegerField(null=True)
    rule_limit = models.BigIntegerField(null=True)
    used = models.BigIntegerField(null=True)
    reserved = models.BigIntegerField(null=True)
    needed = models.BigIntegerField(null=True)
    reason = models.TextField(db_default="")
    release_at = models.DateTimeField(null=True)
    lease = key_field(40, db_default="")

    class Meta:
        db_table = "cost_decisions"
        indexes = [
            # The newest first on the page, and those of one user for the question why.
            models.Index(fields=["-decided_at", "-id"], name="cost_decisions_newest"),
            models.Index(fields=["user_id", "-decided_at"], name="cost_decisions_user"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.tier}/{self.domain} at {self.decided_at:%Y-%m-%d %H:%M}"
