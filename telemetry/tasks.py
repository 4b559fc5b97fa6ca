"""Celery tasks of telemetry."""

from celery import shared_task
from django.utils import timezone

from telemetry import partitions
from telemetry.ingest import once


@shared_task(name="telemetry.keep_partitions")
def keep_partitions() -> None:
    """Make the partitions of the days ahead and drop the expired ones; safe at any time, and side by side."""
    partitions.keep_partitions(timezone.now())


@shared_task(name="telemetry.forget_ingested_ids")
def forget_ingested_ids() -> None:
    """Forget the ids of events that came longer ago than raw events are kept; safe at any time."""
    once.prune(timezone.now())
