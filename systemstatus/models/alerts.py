"""What went wrong and who is told: alerts, their history, what is to be sent, and what is kept quiet."""

from django.db import models
from django.db.models.functions import Now

from telemetry.models import key_field


class AlertState(models.TextChoices):
    """Where an alert stands. OK ends one that never fired, RESOLVED one that did."""

    PENDING = "pending", "Pending"
    FIRING = "firing", "Firing"
    RECOVERING = "recovering", "Recovering"
    NO_DATA = "no_data", "No data"
    ERROR = "error", "Error"
    RESOLVED = "resolved", "Resolved"
    OK = "ok", "OK"


class Severity(models.TextChoices):
    """How bad; info colours nothing."""

    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"


class Alert(models.Model):
    """One breach of one rule by one target, from its first cycle to its end; one open one a key.

    key: SHA-256 of rule, module and target. breaches, criticals, clears, blanks, eases: cycles in a row in
    breach, in critical breach, without one, without data, and at a lower level than it fired with.
    source: who finds it. notified_severity, notified_at: what was last told of it, empty for nothing.
    """

    key = key_field(64)
    source = key_field(40)
    rule = key_field(80)
    module = key_field(40)
    target = models.CharField(max_length=200, db_default="")
    state = key_field(10, choices=AlertState.choices)
    severity = key_field(8, choices=Severity.choices)
    value = models.FloatField(null=True)
    unit = models.CharField(max_length=20, db_default="")
    message = models.CharField(max_length=500, db_default="")
    core = models.BooleanField(db_default=True)
    caused_by = key_field(40, db_default="")
    breaches = models.IntegerField(db_default=0)
    criticals = models.IntegerField(db_default=0)
    clears = models.IntegerField(db_default=0)
    blanks = models.IntegerField(db_default=0)
    eases = models.IntegerField(db_default=0)
    began_at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    evaluated_at = models.DateTimeField()
    notified_severity = key_field(8, db_default="")
    notified_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=80, db_default="")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledgement = models.CharField(max_length=500, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "alerts"
        constraints = [
            # Two evaluators cannot open the same alert twice, and the value is no part of what it is.
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(closed_at__isnull=True), name="alerts_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True, state__in=["pending", "firing", "recovering",
                                                                      "no_data", "error"])
                | models.Q(closed_at__isnull=False, state__in=["resolved", "ok"]),
                name="alerts_closed_state",
            ),
        ]  # fmt: skip
        indexes = [
            # The pages and the engine ask for what is open, the history for what was, newest first.
            models.Index(
                fields=["severity", "-began_at"],
                name="alerts_open",
                condition=models.Q(closed_at__isnull=True),
            ),
            models.Index(fields=["-began_at", "-id"], name="alerts_newest"),
            models.Index(fields=["module", "-began_at"], name="alerts_module"),
            models.Index(fields=["closed_at"], name="alerts_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.target}".strip() + f": {self.state}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_told_red(self) -> bool:
        """It fires, or nothing is known where something should be: a page counts it."""
        return self.fired_at is not None and self.is_open


class AlertTransition(models.Model):
    """One step of an alert, written with the state it led to; notice: the message that tells of it."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="transitions", db_index=False)
    occurred_at = models.DateTimeField(db_default=Now())
    from_state = key_field(10)
    to_state = key_field(10)
    severity = key_field(8)
    value = models.FloatField(null=True)
    message = models.CharField(max_length=500, db_default="")
    actor = models.CharField(max_length=80, db_default="")
    notice = models.UUIDField(null=True)

    class Meta:
        db_table = "alert_transitions"
        indexes = [
            # One alert's history, the timeline of all, and what a message tells of.
            models.Index(fields=["alert", "id"], name="alert_transitions_alert"),
            models.Index(fields=["-occurred_at", "-id"], name="alert_transitions_newest"),
            models.Index(
                fields=["notice"],
                name="alert_transitions_notice",
                condition=models.Q(notice__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class Notification(models.Model):
    """One message to one channel: the outbox. It is written with what it tells of, and sent at least once.

    message_id: the same at every attempt. notice: shared by the channels that tell the same. group: the
    module it is about. body: set before the first attempt, and never changed after it. claimed_until: a
    sender is at it. next_at: not tried before. first_due_at: when it should have gone out.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        GIVEN_UP = "given_up", "Given up"

    class Kind(models.TextChoices):
        ALERT = "alert", "Alert"
        REPEAT = "repeat", "Reminder"
        WATCHDOG = "watchdog", "Sign of life"
        TEST = "test", "Test"
        SUMMARY = "summary", "Summary"

    message_id = key_field(64, unique=True)
    notice = models.UUIDField()
    kind = key_field(10, choices=Kind.choices)
    channel = key_field(40)
    group = key_field(40, db_default="")
    state = key_field(10, choices=State.choices, db_default="waiting")
    body = models.JSONField(null=True)
    attempts = models.IntegerField(db_default=0)
    next_at = models.DateTimeField()
    first_due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "alert_notifications"
        indexes = [
            # The sender asks for what is due; what was sent is no part of it.
            models.Index(
                fields=["next_at"], name="alert_notifications_due", condition=models.Q(state="waiting")
            ),
            models.Index(fields=["group", "-id"], name="alert_notifications_group"),
            models.Index(fields=["notice"], name="alert_notifications_notice"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.channel}: {self.state}"


class Quiet(models.Model):
    """What alerts keep quiet, by rule, module and target: '*' stands for any characters."""

    rule = models.CharField(max_length=80, db_default="*")
    module = models.CharField(max_length=40, db_default="*")
    target = models.CharField(max_length=200, db_default="*")
    author = models.CharField(max_length=80)
    reason = models.CharField(max_length=500)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_by = models.CharField(max_length=80, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.rule} {self.module} {self.target} until {self.ends_at:%Y-%m-%d %H:%M}"


class Silence(Quiet):
    """Alerts that somebody knows of and wants no notice from until a time; they still show."""

    class Meta:
        db_table = "alert_silences"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gte=models.F("starts_at")), name="alert_silences_span"
            )
        ]
        indexes = [models.Index(fields=["ends_at"], name="alert_silences_ends")]


class Maintenance(Quiet):
    """A window in which work goes on: probes run, no notices go out, the time is no part of availability."""

    class Meta:
        db_table = "alert_maintenance"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gte=models.F("starts_at")), name="alert_maintenance_span"
            )
        ]
        indexes = [models.Index(fields=["ends_at"], name="alert_maintenance_ends")]
