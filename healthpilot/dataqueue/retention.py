"""Removes finished jobs, with their entries and files, once they are old enough."""

import logging
import shutil
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from healthpilot.dataqueue.models import FINISHED, Job
from healthpilot.dataqueue.work import folder_of

logger = logging.getLogger(__name__)

BATCH = 1000


def prune() -> int:
    """Remove finished jobs older than DATAQUEUE_RETENTION_DAYS, a batch a transaction; returns how many."""
    before = timezone.now() - timedelta(days=settings.DATAQUEUE_RETENTION_DAYS)
    removed = 0
    while ids := list(
        Job.objects.filter(state__in=FINISHED, finished_at__lt=before)
        .order_by("finished_at")
        .values_list("id", flat=True)[:BATCH]
    ):
        Job.objects.filter(pk__in=ids).delete()
        for job_id in ids:
            shutil.rmtree(folder_of(job_id), ignore_errors=True)
        removed += len(ids)
    return removed
