"""Celery tasks of costs: short, safe at any time and side by side; PostgreSQL says what is to be done."""

import logging
from collections.abc import Iterable
from datetime import date, datetime

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from costs import insight, summary, windows
from costs.days import dirty_days, due_days, local_today
from costs.hours import note_hours
from costs.rollup import LeaseLost, RollupBusy, rollup_costs_for_date
from costs.throttle import decisions, seeding
from costs.throttle.admission import state
from costs.throttle.counters import CountersAway
from costs.usage import UsageError, complete_user_hours, fold_pending

logger = logging.getLogger(__name__)


@shared_task(name="costs.fold_usage")
def fold_usage() -> None:
    """Add new raw rows to the usage partials; nothing to do while another process does it."""
    fold(wait_s=0)


@shared_task(name="costs.rollup_open_days")
def rollup_open_days() -> None:
    """Roll up the days whose usage changed: today every COST_REFRESH_S seconds, other days at once."""
    now = timezone.now()
    windows.advance(local_today(now))
    roll_up(dirty_days(now, refresh_s=settings.COST_REFRESH_S))


@shared_task(name="costs.rollup_due_days")
def rollup_due_days() -> None:
    """Close the local days whose close is due and not done, however many nights were missed.

    Then make up what is left until a day is over: how its cost fell on its hours, and who used what in them.
    """
    now = timezone.now()
    days = due_days(now)
    if days:
        fold(wait_s=10)
        roll_up(days)
    note_hours(now)
    complete_users(now)


@shared_task(name="costs.compare_budgets")
def compare_budgets() -> None:
    """Bring caps and counters in Redis to what PostgreSQL has; without Redis the next tick tries again."""
    try:
        for drift in seeding.synchronise(state.counters):
            logger.info("%s was counted as %s, PostgreSQL has %s", drift.scope, drift.counted, drift.truth)
    except CountersAway as error:
        logger.warning("Budgets could not be compared: %s", error)


@shared_task(name="costs.weekly_summary")
def weekly_summary() -> None:
    """Write last week's summary to the outbox when it is due."""
    summary.queue_due(timezone.now())


@shared_task(name="costs.explain_yesterday")
def explain_yesterday() -> None:
    """Let a job explain yesterday once it is rolled up, where a model is configured."""
    insight.ask_when_due()


@shared_task(name="costs.prune_decisions")
def prune_decisions() -> None:
    """Delete decisions of budgets that are a month old, in batches."""
    while decisions.prune(timezone.now()):
        pass


def fold(*, wait_s: float) -> None:
    """Fold what is pending; what stands in the way is logged, and the next tick tries again."""
    try:
        fold_pending(wait_s=wait_s)
    except UsageError as error:
        logger.warning("Usage not folded: %s", error)


def complete_users(now: datetime) -> None:
    """Make up the usage by hour and user of days that are over; otherwise as fold."""
    try:
        complete_user_hours(now, wait_s=10)
    except UsageError as error:
        logger.warning("Usage by hour and user not made: %s", error)


def roll_up(days: Iterable[date]) -> None:
    """Roll up days one after the other; one that is busy or fails keeps none from its turn."""
    for day in days:
        try:
            rollup_costs_for_date(day)
        except (RollupBusy, LeaseLost, UsageError) as error:
            logger.warning("Not rolled up: %s", error)
        except DatabaseError:
            logger.exception("%s could not be rolled up; the next tick tries again.", day)
