"""Removes finished jobs, with their entries and files, once they are old enough."""

import logging
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

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


def prune_folders() -> int:
    """Remove this machine's folders of jobs that are gone, once they are old enough; returns how many.

    Another machine may have removed the job, whose folder is here; or it could not be removed then.
    """
    removed = 0
    for some in in_batches(old_folders()):
        there = set(Job.objects.filter(pk__in=some).values_list("id", flat=True))
        for job_id in some:
            if job_id not in there:
                shutil.rmtree(folder_of(job_id), ignore_errors=True)
                removed += not folder_of(job_id).exists()
    return removed


def old_folders() -> Iterator[int]:
    """Yield the jobs whose folders were last written to longer ago than jobs are kept."""
    before = timezone.now() - timedelta(days=settings.DATAQUEUE_RETENTION_DAYS)
    root = folder_of(0).parent
    if not root.is_dir():
        return
    with os.scandir(root) as found:
        for entry in found:
            is_folder = entry.name.isdecimal() and entry.is_dir(follow_symlinks=False)
            if is_folder and entry.stat(follow_symlinks=False).st_mtime < before.timestamp():
                yield int(entry.name)


def in_batches(ids: Iterator[int]) -> Iterator[list[int]]:
    """Yield so many ids at a time."""
    while some := list(islice(ids, BATCH)):
        yield some
