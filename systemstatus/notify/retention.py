"""How long alerts and messages are kept once they are over: 90 days, deleted in small batches."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from systemstatus.models import Alert, Maintenance, Notification, Silence

KEPT: Final = timedelta(days=90)
BATCH: Final = 500


def prune(now: datetime) -> int:
    """Delete what has been over for 90 days; returns how many rows."""
    before = now - KEPT
    over: tuple[QuerySet[Any], ...] = (
        Alert.objects.filter(closed_at__lt=before),
        Notification.objects.exclude(state=Notification.State.WAITING).filter(created_at__lt=before),
        Silence.objects.filter(ends_at__lt=before),
        Maintenance.objects.filter(ends_at__lt=before),
    )
    return sum(emptied(rows) for rows in over)


def emptied(rows: QuerySet[Any]) -> int:
    """Delete rows batch by batch."""
    deleted = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted
