"""A thread that writes a process's sign of life, as old as the process's own work is."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import DatabaseError, connection

from systemstatus import probing
from systemstatus.vitals import signs

logger = logging.getLogger(__name__)

EVERY_S: Final = 5.0


class Pulse(threading.Thread):
    """Says every five seconds when the process last stamped it.

    The stamp comes from the loop that does the work, the writing from this thread: a loop that stands still
    is seen although the thread goes on, and a database that hangs does not stop the loop.
    """

    def __init__(self, name: str, role: str, detail: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(name=f"pulse of {name}", daemon=True)
        self.sign, self.role, self.detail = name, role, detail
        self._stamped = time.monotonic()
        self._ended = threading.Event()

    def stamp(self) -> None:
        """Note that the process did its work just now."""
        self._stamped = time.monotonic()

    def run(self) -> None:
        """Write until the end; what the database does not take is written the next time."""
        probing.be_brief()
        while True:
            self.write()
            if self._ended.wait(EVERY_S):
                break
        self.leave()

    def write(self) -> None:
        """Write one sign."""
        try:
            signs.say(self.sign, self.role, self.detail(), stale_s=time.monotonic() - self._stamped)
        except DatabaseError as error:
            logger.info("The sign of life of %s was not written: %s", self.sign, error)
            connection.close()
        except Exception:  # what it says of itself must never end it
            logger.exception("The sign of life of %s could not be made", self.sign)

    def end(self, *, limit_s: float = 4) -> None:
        """Say good-bye, for the process ends in order."""
        self._ended.set()
        self.join(limit_s)

    def leave(self) -> None:
        try:
            signs.end(self.sign)
        except DatabaseError as error:
            logger.info("The end of %s was not written: %s", self.sign, error)
        finally:
            connection.close()
