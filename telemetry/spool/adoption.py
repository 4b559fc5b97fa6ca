"""Ships the files of processes that are gone, whoever finds them first."""

import logging
import os
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from django.db import DatabaseError

from telemetry.drops import drops
from telemetry.spool import companions
from telemetry.spool.aside import set_aside_file
from telemetry.spool.folder import LOCK, STATUS, Hold, segments, spool_folder
from telemetry.spool.frames import FIRST_LINE_MOST, BadSegment, OtherVersion, read_first_line
from telemetry.spool.status import is_shown
from telemetry.spool.transfer import OffsetMoved, Shipped, ship_chunk

logger = logging.getLogger("telemetry")

# A file that was written to a moment ago may still be on its way here (a copy from a backup).
SETTLED_S: Final = 2.0

Tell = Callable[[Shipped], None]


def adopt(tell: Tell, *, own_stem: str = "", settled_s: float = SETTLED_S) -> None:
    """Ship every file in the folder whose process is gone, and remove it after its commit.

    Args:
        tell: called with what each transaction moved. own_stem: this process's own, left alone.
        settled_s: seconds for which a file that was put back must not have grown.

    Raises:
        django.db.Error: when the database is away; what was shipped until then is shipped.
    """
    folder = spool_folder()
    # What a process left lies beside its lock; what was put back lies alone, and may still grow.
    held = {path.name.removesuffix(LOCK) for path in folder.glob(f"*{LOCK}")}
    for stem in sorted(stems(folder) - {own_stem, ""}):
        try:
            hold = Hold.take(folder, stem)
            if hold:
                adopt_stem(folder, stem, hold, tell, 0 if stem in held else settled_s)
        except DatabaseError:
            raise
        except Exception as error:  # one process's files must not stand before all others'
            drops.warn(f"The spool's files of {stem} stay", f"{type(error).__name__}: {error}")


def stems(folder: Path) -> set[str]:
    """Return the stems that files in the folder belong to."""
    found = {stem for stem, _ in segments(folder)}
    with suppress(OSError):
        endings = (LOCK, STATUS, *companions.endings())
        for name in os.listdir(folder):
            found |= {name.removesuffix(ending) for ending in endings if name.endswith(ending)}
    return {stem for stem in found if not stem.startswith(".")}


def adopt_stem(folder: Path, stem: str, hold: Hold, tell: Tell, settled_s: float) -> None:
    """Ship all files of one stem whose hold this process now has."""
    is_done = False
    try:
        paths = [Path(entry.path) for owner, entry in segments(folder) if owner == stem]
        done = [ship_orphan(path, tell, settled_s) for path in sorted(paths, key=number_of)]
        is_done = all(done) and companions.settle(folder, stem, tell)
    finally:
        status = folder / f"{stem}{STATUS}"
        if is_done and not is_shown(status):
            with suppress(OSError):
                status.unlink(missing_ok=True)
        hold.let_go(remove=is_done)


def number_of(path: Path) -> int:
    return int(path.name.split(".")[-2])


class Orphan:
    """A segment of a process that is gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self.committed: int | None = None

    def close(self) -> None:
        os.close(self.descriptor)


def ship_orphan(path: Path, tell: Tell, settled_s: float) -> bool:
    """Ship one file to its end and remove it; returns whether nothing is left of it."""
    try:
        with closing(Orphan(path)) as orphan:
            about = os.fstat(orphan.descriptor)
            if 0 <= time.time() - about.st_mtime < settled_s:
                return False
            ship_whole(orphan, about.st_size, tell)
            if os.fstat(orphan.descriptor).st_size != about.st_size:
                return False
        path.unlink(missing_ok=True)
    except OtherVersion as error:  # while versions change, both run side by side
        drops.warn(f"The spool's file {path.name} stays for another version", str(error))
        return False
    except BadSegment as error:
        logger.warning("The spool's file %s is set aside: %s", path.name, error)
        set_aside_file(path, str(error))
        tell(Shipped(refused=["not a segment"]))
    except FileNotFoundError:
        pass
    except OSError as error:
        drops.warn(f"The spool's file {path.name} stays", str(error))
        return False
    return True


def ship_whole(orphan: Orphan, end: int, tell: Tell) -> None:
    """Ship everything that the database lacks of a segment."""
    layout = read_first_line(os.pread(orphan.descriptor, FIRST_LINE_MOST, 0))
    while True:
        try:
            shipped = ship_chunk(orphan, layout, end, is_last=True)
        except OffsetMoved:
            orphan.committed = None
            continue
        if shipped is None:
            return
        tell(shipped)
