"""The files a job leaves: written whole or not at all, handed out only from the job's own folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

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


def file_of(job: Job, name: str) -> Path | None:
    """Return the path of a file that the job says it left, None where it does not or the file is gone."""
    names = {entry["name"] for entry in (job.result or {}).get("files", [])}
    path = folder_of(job.pk) / name
    return path if name in names and Path(name).name == name and path.is_file() else None
