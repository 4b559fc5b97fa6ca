"""Celery tasks of telemetry."""

from celery import shared_task
from django.utils import timezone

from telemetry import partitions
from telemetry.ingest import once
from telemetry.spool import ledger


@shared_task(name="telemetry.keep_partitions")
def keep_partitions() -> None:
    """Make the partitions of the days ahead, drop the expired ones, forget old files; safe at any time."""
    now = timezone.now()
    partitions.keep_partitions(now)
    ledger.forget(now)


@shared_task(name="telemetry.forget_ingested_ids")
def forget_ingested_ids() -> None:
    """Forget the ids of events that came longer ago than raw events are kept; safe at any time."""
    once.prune(timezone.now())
