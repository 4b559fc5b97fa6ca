"""Records every Celery task: one job event an attempt, without a line in the task."""

from telemetry.celery_events.install import record_tasks
from telemetry.celery_events.whose import telemetry_context

__all__ = ["record_tasks", "telemetry_context"]
