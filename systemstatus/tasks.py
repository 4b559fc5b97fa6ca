"""Celery tasks of System Status; each is safe at any time and side by side."""

import logging

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from systemstatus import collector, grains
from systemstatus.alerts.engine import evaluate_registered
from systemstatus.lease import LeaseLostError

logger = logging.getLogger(__name__)


@shared_task(name="systemstatus.collect")
def collect() -> None:
    """Collect the current minute; what stands in the way is logged, and the next minute is another try."""
    try:
        collector.collect_snapshot(timezone.now())
    except (DatabaseError, LeaseLostError) as error:
        logger.warning("This minute was not collected: %s", error)


@shared_task(name="systemstatus.evaluate_alerts")
def evaluate_alerts() -> None:
    """Move the alerts by what every rule finds now; what stands in the way is logged, and tried again."""
    try:
        evaluate_registered(timezone.now())
    except DatabaseError as error:
        logger.warning("The alerts were not evaluated this minute: %s", error)


@shared_task(name="systemstatus.keep_grains")
def keep_grains() -> None:
    """Drop the snapshots that are past their time."""
    grains.drop_expired(timezone.now())
