"""Forgets spool files that were shipped so long ago that no copy of them will come back."""

from datetime import datetime, timedelta

from django.conf import settings

from telemetry.models import SpoolSegment


def forget(now: datetime) -> int:
    """Forget files not shipped from for as long as raw events are kept; returns how many."""
    cutoff = now - timedelta(days=settings.TELEMETRY_RETENTION_DAYS)
    return SpoolSegment.objects.filter(updated_at__lt=cutoff).delete()[0]
