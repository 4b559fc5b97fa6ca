"""Jobs that wait because of a budget, as a worker leaves them."""

from datetime import timedelta

from django.utils import timezone

from costs.throttle.scopes import Scope
from healthpilot.dataqueue.models import Job, QueueClass, State


def make_waiting_job(scope: Scope, *, user_id: str = "ada") -> Job:
    """Store a job that the jobs' cap of a scope holds back until tomorrow."""
    return Job.objects.create(
        kind="test.rows", tier="free", user_id=user_id, domain="sync", queue_class=QueueClass.FREE,
        state=State.DEFERRED, not_before=timezone.now() + timedelta(days=1), defer_rule=f"{scope} jobs",
    )  # fmt: skip
