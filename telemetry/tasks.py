"""Celery tasks of telemetry."""

from celery import shared_task
from django.utils import timezone

from telemetry import partitions


@shared_task(name="telemetry.keep_partitions")
def keep_partitions() -> None:
    """Make the partitions of the days ahead and drop the expired ones; safe at any time, and side by side."""
    partitions.keep_partitions(timezone.now())
