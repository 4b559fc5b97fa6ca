"""Celery tasks of imports."""

from celery import shared_task

from healthpilot.imports import uploads


@shared_task(name="imports.prune_uploads")
def prune_uploads() -> None:
    """Remove uploads that nobody needs any more."""
    uploads.prune()
