"""The cost tables by day, and the sums over the preset ranges."""

from django.db import models
from django.db.models.functions import Now

from costs.models.fields import ExactDecimalField
from telemetry.models import key_field

RANGE_DAYS = (7, 30, 90)


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
    holds the environment's prices that the last rollup used, hours_json the part of a closed day's cost that
    was spent by the end of each local hour, in millionths. user_hours_due_at is since when the day's usage by
    hour and user lacks what its usage by day has: it is made up once the day is over.
    """

    date = models.DateField(primary_key=True)
    dirty_at = models.DateTimeField(null=True)
    rolled_up_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    constants_json = models.JSONField(null=True)
    hours_json = models.JSONField(null=True)
    user_hours_due_at = models.DateTimeField(null=True)
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
