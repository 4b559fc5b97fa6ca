"""Celery tasks of System Status; each is safe at any time and side by side."""

import logging

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from systemstatus import coarser, collector, error_groups, grains, lease
from systemstatus.alerts.engine import evaluate_registered
from systemstatus.lease import LeaseLostError
from systemstatus.notify import retention, sender, watchdog
from systemstatus.vitals import canaries, signs

logger = logging.getLogger(__name__)


@shared_task(name="systemstatus.collect")
def collect() -> None:
    """Collect the current minute and fill the spans that it ended.

    What stands in the way is logged, and the next minute is another try.
    """
    try:
        collector.collect_snapshot(timezone.now())
        coarser.fill(timezone.now())
    except (DatabaseError, LeaseLostError) as error:
        logger.warning("This minute was not collected: %s", error)


@shared_task(name="systemstatus.evaluate_alerts")
def evaluate_alerts() -> None:
    """Move the alerts by what every rule finds now; what stands in the way is logged, and tried again."""
    try:
        evaluate_registered(timezone.now())
    except DatabaseError as error:
        logger.warning("The alerts were not evaluated this minute: %s", error)


@shared_task(name="systemstatus.send_notifications")
def send_notifications() -> None:
    """Send what is due, and once an hour a sign of life."""
    watchdog.beat(timezone.now())
    sender.send_due()
    lease.note("sender")


@shared_task(name="systemstatus.prune_alerts")
def prune_alerts() -> None:
    """Delete closed alerts and sent messages that are past their time."""
    retention.prune(timezone.now())
    error_groups.prune(timezone.now())


@shared_task(name="systemstatus.keep_grains")
def keep_grains() -> None:
    """Drop the snapshots and signs of life that are past their time."""
    grains.drop_expired(timezone.now())
    signs.prune()


@shared_task(name="systemstatus.canary")
def canary(queue: str, number: int) -> None:
    """Arrive: a worker takes from this queue."""
    canaries.answer(queue, number)
