"""Tells of a database that does not answer, past the outbox, which is in it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from systemstatus.notify import channels, words
from systemstatus.notify.channels import DeliveryError, Message

logger = logging.getLogger(__name__)

TELL_AFTER_S: Final = 60.0


@dataclass
class Outage:
    """PostgreSQL as the watchdog sees it: since when it does not answer, and which channels know."""

    clock: Callable[[], float] = time.monotonic
    since: float | None = None
    began_at: datetime | None = None
    told: set[str] = field(default_factory=set)

    def failed(self, error: str) -> None:
        """Note that it did not answer; after a minute every channel is told, each once."""
        if self.since is None:
            self.since, self.began_at = self.clock(), datetime.now(UTC)
        if self.clock() - self.since >= TELL_AFTER_S:
            self.tell(
                "firing",
                "critical",
                f"PostgreSQL does not answer: {error}",
                set(channels.configured()) - self.told,
            )

    def over(self) -> None:
        """Note that it answers; who was told of the outage is told of its end."""
        if self.since is None:
            return
        lasted_s = self.clock() - self.since
        if self.told:
            self.tell(
                "resolved", "critical", f"PostgreSQL answers again after {lasted_s:.0f} s.", set(self.told)
            )
        self.since, self.began_at, self.told = None, None, set()

    def tell(self, what: str, severity: str, title: str, names: set[str]) -> None:
        """Send a message with an id for good to channels; one that fails is tried at the next look."""
        assert self.began_at
        body = self.body(what, severity, title)
        for name in sorted(names):
            message = Message(f"msg_outage_{self.began_at:%Y%m%d%H%M%S}_{what}_{name}", "alert", body)
            try:
                channels.deliver(channels.configured()[name], message)
                self.told.add(name)
            except DeliveryError as error:
                logger.warning("The outage of PostgreSQL was not told by %s: %s", name, error)

    def body(self, what: str, severity: str, title: str) -> dict[str, Any]:
        """Return the message's content, in the form of every alert."""
        assert self.began_at
        alert = {"rule": "check.down", "module": "postgres", "target": "watchdog", "state": what,
                 "severity": severity, "value": None, "unit": "", "message": title,
                 "began_at": words.iso(self.began_at), "at": words.iso(datetime.now(UTC))}  # fmt: skip
        head = words.NAMES["resolved" if what == "resolved" else severity]
        return {
            "type": f"alert.{what}",
            "timestamp": words.iso(datetime.now(UTC)),
            "data": {"module": "postgres", "severity": severity, "title": f"{head}: {title}",
                     "alerts": [alert], "more": 0, "url": ""},
        }  # fmt: skip
