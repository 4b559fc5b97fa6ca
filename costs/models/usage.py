"""Usage partials by hour, by day and user, and by hour and user; and how long jobs waited."""

from django.db import models

from telemetry.models import key_field


class UsageSums(models.Model):
    """The sums that every grain of the usage partials keeps; model is '' for jobs."""

    day = models.DateField()
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
    """Usage of one local hour, all users together; hour is the UTC instant at which it begins."""

    pk = models.CompositePrimaryKey("day", "hour", "tier", "domain", "model")
    hour = models.DateTimeField()

    class Meta:
        db_table = "usage_hourly"

    def __str__(self) -> str:
        return f"{self.tier}, {self.domain} at {self.hour:%Y-%m-%d %H:%M}"


class UsageUserHourly(UsageSums):
    """Usage of one user in one local hour.

    A day's rows are made once it is over: see CostDay.user_hours_due_at.
    """

    pk = models.CompositePrimaryKey("day", "hour", "user_id", "tier", "domain", "model")
    hour = models.DateTimeField()
    user_id = key_field(40)

    class Meta:
        db_table = "usage_user_hourly"

    def __str__(self) -> str:
        return f"{self.user_id} at {self.hour:%Y-%m-%d %H:%M}"


class UsageDaily(UsageSums):
    """Usage of one user on one local day of COST_TIMEZONE."""

    pk = models.CompositePrimaryKey("day", "user_id", "tier", "domain", "model")
    user_id = key_field(40)

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
