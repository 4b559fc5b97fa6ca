"""Files beside a process's segments, under the same hold, that tell of it when it is gone.

Whoever writes one registers its ending and a reader; the reader's job rows are stored once, when the process
that wrote the file is gone, in the transaction that notes the file as done.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connection, transaction

from telemetry.events import Row
from telemetry.ship import ship
from telemetry.spool.transfer import ADVANCE, Shipped

logger = logging.getLogger("telemetry")

Read = Callable[[Path], Sequence[Row] | None]
readers: Final[dict[str, Read]] = {}


def register(ending: str, read: Read) -> None:
    """Have files `<stem><ending>` of dead processes read: `read` returns the job rows they tell of.

    It is asked once the process's own events are stored, and returns None where the file is still in use.
    """
    readers[ending] = read


def endings() -> tuple[str, ...]:
    """Return the endings that have a reader."""
    return tuple(readers)


def settle(folder: Path, stem: str, tell: Callable[[Shipped], None]) -> bool:
    """Store what the files beside a dead process's segments tell, each once; returns whether none is left."""
    settled = [settle_one(folder / f"{stem}{ending}", read, tell) for ending, read in readers.items()]
    return all(settled)


def settle_one(path: Path, read: Read, tell: Callable[[Shipped], None]) -> bool:
    """Store one file's rows and remove it; raises django.db.Error when the database is away."""
    if not path.exists():
        return True
    try:
        rows = read(path)
    except DatabaseError:
        raise
    except Exception:  # any garbage may lie there; one file must not keep the others from being shipped
        logger.exception("The spool's file %s cannot be read and stays.", path.name)
        return False
    if rows is None:
        return False
    tell(Shipped(store_once(path.name, rows)))
    with suppress(OSError):
        path.unlink(missing_ok=True)
    return True


def store_once(name: str, rows: Sequence[Row]) -> int:
    """Store rows unless this name was stored before; returns how many were."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(ADVANCE, [name, 1, len(rows), 0])
            if not cursor.rowcount:
                return 0
        return ship("job", rows)
