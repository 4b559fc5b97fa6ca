"""The files a job leaves: written whole, handed out from its own folder only and while they are kept."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils import timezone

from healthpilot.dataqueue.models import Job
from healthpilot.dataqueue.work import folder_of


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """Give a file to write that takes its name only when it is complete and on the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@dataclass(frozen=True)
class Left:
    """A file that a job says it left. kept_until: None while the job has not ended."""

    name: str
    about: str
    kept_until: datetime | None
    is_over: bool
    is_there: bool


def kept_until(job: Job) -> datetime | None:
    """Return when a job and its files are removed; None while it has not ended."""
    kept = timedelta(days=settings.DATAQUEUE_RETENTION_DAYS)
    return job.finished_at + kept if job.is_finished and job.finished_at else None


def left_by(job: Job) -> list[Left]:
    """Return the files of a job, those that are gone as well."""
    until = kept_until(job)
    is_over = until is not None and until <= timezone.now()
    return [
        Left(
            name=entry["name"],
            about=entry.get("about", ""),
            kept_until=until,
            is_over=is_over,
            is_there=not is_over and path_of(job.pk, entry["name"]) is not None,
        )
        for entry in (job.result or {}).get("files", [])
    ]


def path_of(job_id: int, name: str) -> Path | None:
    """Return the path of a file in a job's folder, None where it is not there."""
    path = folder_of(job_id) / name
    return path if Path(name).name == name and path.is_file() else None


def file_of(job: Job, name: str) -> Path | None:
    """Return the path of a file that the job says it left, None where it does not or the file is gone.

    A file whose time is over is gone, also where it was not removed yet.
    """
    return next((path_of(job.pk, name) for one in left_by(job) if one.name == name and one.is_there), None)
