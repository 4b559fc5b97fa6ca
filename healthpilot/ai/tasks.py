"""Celery tasks of the AI wrapper."""

from celery import shared_task
from django.utils import timezone

from healthpilot.ai import answers


@shared_task(name="ai.prune_answers")
def prune_answers() -> None:
    """Delete answers that were not used for a month, in batches."""
    while answers.prune(timezone.now()):
        pass
