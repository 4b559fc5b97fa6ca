"""Unhandled exceptions by group: what it is, since when, how often, and whether somebody has seen to it."""

from django.db import models
from django.db.models.functions import Now

from telemetry.models import key_field


class ErrorGroup(models.Model):
    """Exceptions of one type from one place of the project.

    fingerprint: SHA-256 of type and in-project functions, cut; '(others)' holds what is beyond the bound.
    opened_at: when it was new or came back after it was resolved. sample: the newest that was kept, redacted.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        RESOLVED = "resolved", "Resolved"

    fingerprint = key_field(32, primary_key=True)
    type = models.CharField(max_length=120)
    message = models.CharField(max_length=300, db_default="")
    place = models.CharField(max_length=200, db_default="")
    route = models.CharField(max_length=200, db_default="")
    method = models.CharField(max_length=8, db_default="")
    release = models.CharField(max_length=80, db_default="")
    sample = models.JSONField(default=dict)
    count = models.BigIntegerField(db_default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    state = key_field(10, choices=State.choices, db_default="open")
    resolved_by = models.CharField(max_length=80, db_default="")
    resolved_at = models.DateTimeField(null=True)
    muted_until = models.DateTimeField(null=True)
    muted_by = models.CharField(max_length=80, db_default="")
    reason = models.CharField(max_length=300, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "status_error_groups"
        indexes = [
            # The page lists the groups of one state, those that occurred last first.
            models.Index(fields=["state", "-last_at", "fingerprint"], name="status_error_groups_newest"),
            # Retention removes what has not occurred for long.
            models.Index(fields=["last_at"], name="status_error_groups_last"),
        ]

    def __str__(self) -> str:
        return f"{self.type} at {self.place}"

    @property
    def frames(self) -> list[str]:
        """The functions of this project on the way, the outermost first."""
        return [str(frame) for frame in self.sample.get("frames", [])]


class ErrorHour(models.Model):
    """How often a group occurred within one hour; kept eight days."""

    pk = models.CompositePrimaryKey("fingerprint", "hour")
    fingerprint = key_field(32)
    hour = models.DateTimeField()
    count = models.BigIntegerField(db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "status_error_hours"
        indexes = [models.Index(fields=["hour"], name="status_error_hours_hour")]

    def __str__(self) -> str:
        return f"{self.fingerprint} at {self.hour:%Y-%m-%d %H}: {self.count}"
