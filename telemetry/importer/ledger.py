"""The import ledger: how far each content has come under each mapping, so that nothing is stored twice."""

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

from telemetry.importer.errors import ImportFailedError
from telemetry.importer.sources import Content
from telemetry.models import Import

MOST_PREFIXES = 1000
LOCK_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Key:
    """What the ledger knows an import by."""

    kind: str
    content_sha256: str
    mapping_sha256: str

    @property
    def lock(self) -> int:
        """Return the number of the advisory lock on this import."""
        said = f"telemetry import {self.kind} {self.content_sha256} {self.mapping_sha256}"
        return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], signed=True)


@dataclass(frozen=True)
class Progress:
    """How far an import has come since its beginning: bytes and lines read, rows accepted and rejected."""

    offset_bytes: int
    line: int
    accepted: int
    rejected: int


def earlier_sizes(kind: str, mapping_sha256: str) -> list[int]:
    """Return the lengths in bytes of what was imported under this mapping, the most recent ones."""
    earlier = Import.objects.filter(kind=kind, mapping_sha256=mapping_sha256).order_by("-id")
    return list(earlier.values_list("size_bytes", flat=True)[:MOST_PREFIXES])


def other_mapping(key: Key) -> Import | None:
    """Return an import of the same content under another mapping that stored rows."""
    same = Import.objects.filter(kind=key.kind, content_sha256=key.content_sha256, accepted__gt=0)
    return same.exclude(mapping_sha256=key.mapping_sha256).order_by("-id").first()


def longest_prefix(key: Key, content: Content) -> Import | None:
    """Return the longest earlier import whose content this content begins with, None where there is none."""
    proven = [sha for size, sha in content.prefixes.items() if 0 < size < content.size_bytes]
    earlier = Import.objects.filter(
        kind=key.kind, mapping_sha256=key.mapping_sha256, content_sha256__in=proven
    )
    return earlier.order_by("-size_bytes").first()


@contextmanager
def locked(keys: Iterable[Key]) -> Iterator[None]:
    """Hold the imports of these keys. Raises ImportFailedError where another process has one.

    The server takes a moment to notice that a killed client is gone, so a lock that is taken is tried for
    a while.
    """
    held: list[int] = []
    with connection.cursor() as cursor:
        try:
            for number in sorted(key.lock for key in keys):
                _take(cursor, number)
                held.append(number)
            yield
        finally:
            for number in held if connection.is_usable() else []:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _take(cursor: CursorWrapper, number: int) -> None:
    give_up = time.monotonic() + LOCK_PATIENCE_S
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        if cursor.fetchone()[0]:
            return
        if time.monotonic() > give_up:
            raise ImportFailedError(
                "this file is being imported by another process: wait for it, then run this again"
            )
        time.sleep(0.1)


def opened(key: Key, content: Content, source_name: str, *, after: Import | None) -> tuple[Import, bool]:
    """Return the ledger row of a content and whether it is new; a new one goes on where `after` had come."""
    start: dict[str, object] = {"size_bytes": content.size_bytes, "source_name": source_name[:255]}
    if after:
        start |= {name: getattr(after, name) for name in ("offset_bytes", "line", "accepted", "rejected")}
    return Import.objects.get_or_create(defaults=start, **asdict(key))


def advance(row: Import, progress: Progress) -> None:
    """Move a ledger row on, in the transaction that stores the rows it counts. Raises ImportFailedError.

    `row` itself is moved by the caller, once that transaction is committed.
    """
    unmoved = Import.objects.filter(pk=row.pk, offset_bytes=row.offset_bytes, finished_at=None)
    if not unmoved.update(**asdict(progress), updated_at=Now()):
        raise ImportFailedError("another process moved this import on: run it again")


def begin_again(row: Import) -> None:
    """Set a finished import of which nothing was stored back to its beginning."""
    row.offset_bytes = row.line = row.rejected = 0
    row.finished_at = None
    row.save(update_fields=["offset_bytes", "line", "rejected", "finished_at"])


def finish(row: Import) -> None:
    """Mark an import as complete."""
    Import.objects.filter(pk=row.pk).update(finished_at=Now(), updated_at=Now())
