"""Jobs, what happened to each, and which queue classes stand still."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from telemetry.models import key_field


class State(models.TextChoices):
    """Where a job is. Only waiting ones are taken by workers."""

    WAITING = "waiting", "Waiting"
    DEFERRED = "deferred", "Deferred"
    RUNNING = "running", "Running"
    FAILED = "failed", "Will retry"
    SUCCEEDED = "succeeded", "Succeeded"
    CANCELLED = "cancelled", "Cancelled"
    DEAD = "dead", "Failed for good"
    PARKED = "parked", "Parked"


class QueueClass(models.TextChoices):
    """Which queue a job stands in; each has its own Celery queue of the same name."""

    PAID = "paid", "Paid tiers"
    FREE = "free", "Free tier"
    HEAVY = "heavy", "Heavy work"
    SYSTEM = "system", "Housekeeping"


# A parked job still stands for its unique key: a second one would run into what stopped the first.
OPEN = (State.WAITING, State.DEFERRED, State.RUNNING, State.FAILED, State.PARKED)
FINISHED = (State.SUCCEEDED, State.CANCELLED, State.DEAD)


class Job(models.Model):
    """One piece of background work.

    A worker commits a batch of the job only while `token` is the one it took the job with: whoever takes the
    job over raises it. `attempt` counts the starts, `stuck` those since the checkpoint last moved.
    `due_at` is when the job could first have run, `fair_at` its turn: jobs of one user stand apart on that
    scale, so that nobody's thousand jobs come before another's first.
    """

    kind = key_field(40)
    payload = models.JSONField(db_default=models.Value({}, models.JSONField()))
    tier = key_field(16)
    user_id = key_field(40)
    domain = key_field(16)
    queue_class = key_field(8, choices=QueueClass.choices)
    priority = models.SmallIntegerField(db_default=50)
    state = key_field(10, choices=State.choices, db_default=State.WAITING)
    not_before = models.DateTimeField(null=True)
    defer_reason = models.CharField(max_length=300, db_default="")
    defer_rule = key_field(120, db_default="")
    unique_key = key_field(120, null=True)
    attempt = models.IntegerField(db_default=0)
    stuck = models.IntegerField(db_default=0)
    max_attempts = models.SmallIntegerField(db_default=5)
    token = models.BigIntegerField(db_default=0)
    lease_owner = models.CharField(max_length=120, db_default="")
    lease_pid = models.IntegerField(null=True)
    leased_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    cancel_by = models.CharField(max_length=80, db_default="")
    done = models.BigIntegerField(db_default=0)
    total = models.BigIntegerField(null=True)
    unit = models.CharField(max_length=20, db_default="")
    message = models.CharField(max_length=200, db_default="")
    checkpoint = models.JSONField(null=True)
    result = models.JSONField(null=True)
    error_code = key_field(64, db_default="")
    error_message = models.CharField(max_length=1000, db_default="")
    actor = models.CharField(max_length=80, db_default="")
    due_at = models.DateTimeField(db_default=Now())
    fair_at = models.DateTimeField(db_default=Now())
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "dataqueue_jobs"
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"], condition=Q(state__in=OPEN), name="dataqueue_jobs_once"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="dataqueue_jobs_state_known"),
            models.CheckConstraint(
                condition=Q(queue_class__in=QueueClass.values), name="dataqueue_jobs_class"
            ),
        ]
        indexes = [
            # A worker takes the first of this order: 100,000 waiting jobs cost it one step.
            models.Index(
                "queue_class",
                "priority",
                "fair_at",
                "id",
                condition=Q(state=State.WAITING),
                name="dataqueue_jobs_turn",
            ),
            # The longest wait of a class, which pages and System Status show.
            models.Index(
                "queue_class", "due_at", condition=Q(state=State.WAITING), name="dataqueue_jobs_age"
            ),
            # The turn that came longest ago, for the bound after which priority does not count.
            models.Index(
                "queue_class", "fair_at", condition=Q(state=State.WAITING), name="dataqueue_jobs_passed"
            ),
            # Where a user's last turn lies, so that the next job is put after it.
            models.Index(
                "queue_class",
                "user_id",
                "fair_at",
                condition=Q(state=State.WAITING),
                name="dataqueue_jobs_user_turn",
            ),
            # The sweeper's two questions: what is due by now, whose lease is over.
            models.Index(
                "not_before",
                condition=Q(state__in=(State.DEFERRED, State.FAILED)),
                name="dataqueue_jobs_release",
            ),
            models.Index("lease_until", condition=Q(state=State.RUNNING), name="dataqueue_jobs_lease"),
            # The list's filters, newest first; tier and class are filtered along the key.
            models.Index("state", F("id").desc(), name="dataqueue_jobs_state"),
            models.Index("kind", F("id").desc(), name="dataqueue_jobs_kind"),
            # One user's own jobs, newest first.
            models.Index("user_id", F("id").desc(), name="dataqueue_jobs_user"),
            # What retention removes, oldest first.
            models.Index("finished_at", condition=Q(state__in=FINISHED), name="dataqueue_jobs_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_finished(self) -> bool:
        """Say whether nothing will happen to the job any more unless somebody retries it."""
        return self.state in FINISHED

    @property
    def percent(self) -> int | None:
        """Return how far the job has come, None where the whole is not known."""
        if self.state == State.SUCCEEDED:
            return 100
        return min(100, self.done * 100 // self.total) if self.total else None


class Entry(models.Model):
    """One thing that happened to a job: when, through whom, what."""

    job = models.ForeignKey(Job, models.CASCADE, db_index=False)
    occurred_at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=120, db_default="")
    what = key_field(20)
    detail = models.CharField(max_length=500, db_default="")

    class Meta:
        db_table = "dataqueue_entries"
        indexes = [
            # A job's page shows its newest entries.
            models.Index("job", F("id").desc(), name="dataqueue_entries_job"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.job_id}"


class Pause(models.Model):
    """A queue class that stands still: its jobs wait until somebody resumes it."""

    queue_class = key_field(8, primary_key=True, choices=QueueClass.choices)
    reason = models.CharField(max_length=300, db_default="")
    actor = models.CharField(max_length=80)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "dataqueue_pauses"

    def __str__(self) -> str:
        return f"{self.queue_class} paused by {self.actor}"
