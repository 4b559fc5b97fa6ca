"""Writes down what happened to a job."""

from healthpilot.dataqueue.models import Entry


def note(job_id: int, what: str, detail: str = "", *, actor: str = "") -> None:
    """Keep one line about a job, in the transaction that did it."""
    Entry.objects.create(job_id=job_id, what=what, detail=detail[:500], actor=actor[:120])
