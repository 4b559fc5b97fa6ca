"""Who lives and who answers: the processes behind System Status, and the canary of each queue."""

from django.db import models
from django.db.models.functions import Now

from telemetry.models import key_field


class Sign(models.Model):
    """The last sign of life of one process, by the database's clock.

    role: worker, beat, watchdog. seen_at: when it last did its work, not when it last wrote. ended_at: it
    ended in order. detail: what it works on, bounded.
    """

    name = key_field(120, primary_key=True)
    role = key_field(16)
    host = models.CharField(max_length=120, db_default="")
    pid = models.IntegerField(db_default=0)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "status_signs"

    def __str__(self) -> str:
        return f"{self.role} {self.name}"


class Canary(models.Model):
    """The message that travels through one queue of the broker, to time how long a task waits there.

    number: of the last one sent. waiting_since: when the oldest unanswered one was sent; None: answered.
    """

    queue = key_field(80, primary_key=True)
    number = models.BigIntegerField(db_default=0)
    sent_at = models.DateTimeField(null=True)
    waiting_since = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    round_trip_s = models.FloatField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "status_canaries"

    def __str__(self) -> str:
        return f"canary of {self.queue}"
