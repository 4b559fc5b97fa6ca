"""What the collector saw: one row a module and minute, kept at a minute, at ten and at an hour."""

from django.db import models
from django.db.models.functions import Now

from telemetry.models import key_field


class ModuleState(models.TextChoices):
    """How a module stood; unknown is never green, disabled is not configured."""

    OK = "ok", "OK"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"
    UNKNOWN = "unknown", "Unknown"
    SKIPPED = "skipped", "Skipped"
    DISABLED = "disabled", "Not configured"


class Seen(models.Model):
    """One module at one time, in a table partitioned by captured_at.

    values: {metric: number or {target: number}}. detail: what a tab lists, bounded. checks: one object a
    probe: name, state, ms, error, at, last_ok, since (when it came to this state). worst: in the coarser
    grains, each metric's worst value.
    """

    pk = models.CompositePrimaryKey("module", "captured_at")
    module = key_field(40)
    captured_at = models.DateTimeField()
    state = key_field(10, choices=ModuleState.choices)
    values = models.JSONField(default=dict)
    worst = models.JSONField(default=dict)
    detail = models.JSONField(default=dict)
    checks = models.JSONField(default=list)
    took_ms = models.IntegerField(db_default=0)
    error = models.CharField(max_length=500, db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.module} {self.state} at {self.captured_at:%Y-%m-%d %H:%M}"


class Snapshot(Seen):
    """A module in one minute; kept 48 hours."""

    class Meta:
        db_table = "status_snapshots_1m"
        # A page reads the newest minute of every module, or one past minute of all.
        indexes = [models.Index(fields=["-captured_at", "module"], name="status_snapshots_1m_newest")]


class TenMinutes(Seen):
    """A module in ten minutes: its worst state and each value's last and worst; kept 30 days."""

    class Meta:
        db_table = "status_snapshots_10m"
        indexes = [models.Index(fields=["-captured_at", "module"], name="status_snapshots_10m_newest")]


class Hour(Seen):
    """A module in an hour, as ten minutes are; kept 400 days."""

    class Meta:
        db_table = "status_snapshots_1h"
        indexes = [models.Index(fields=["-captured_at", "module"], name="status_snapshots_1h_newest")]


class StatusLease(models.Model):
    """Who does a piece of System Status now; a token fences off a holder that stood still.

    minute: the last one that was done whole. done_at: when.
    """

    name = key_field(40, primary_key=True)
    token = models.BigIntegerField(db_default=0)
    holder = models.CharField(max_length=120, db_default="")
    lease_until = models.DateTimeField(null=True)
    minute = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    took_ms = models.IntegerField(db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "status_leases"

    def __str__(self) -> str:
        return f"{self.name} held by {self.holder}"
