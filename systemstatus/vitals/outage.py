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
    """PostgreSQL as the watchdog sees it: since when it does not answer, and which channels know.

    lasted_s: how long it was away, once it answers again and somebody is still to be told so.
    """

    clock: Callable[[], float] = time.monotonic
    since: float | None = None
    began_at: datetime | None = None
    told: set[str] = field(default_factory=set)
    lasted_s: float | None = None

    def failed(self, error: str) -> None:
        """Note that it did not answer; after a minute every channel is told, each once."""
        if self.since is None or self.lasted_s is not None:
            self.since, self.began_at = self.clock(), datetime.now(UTC)
            self.told, self.lasted_s = set(), None
        if self.clock() - self.since >= TELL_AFTER_S:
            title = f"PostgreSQL does not answer: {error}"
            self.told |= self.tell("firing", title, set(channels.configured()) - self.told)

    def over(self) -> None:
        """Note that it answers; whoever was told of the outage is told of its end, now or at a later look."""
        if self.since is None:
            return
        if self.lasted_s is None:
            self.lasted_s = self.clock() - self.since
        title = f"PostgreSQL answers again after {self.lasted_s:.0f} s."
        self.told -= self.tell("resolved", title, set(self.told))
        if not self.told:
            self.since = self.began_at = self.lasted_s = None

    def tell(self, what: str, title: str, names: set[str]) -> set[str]:
        """Send a message with an id for good to channels; returns those that took it."""
        assert self.began_at
        body, took = self.body(what, "critical", title), set[str]()
        for name in sorted(names):
            message = Message(f"msg_outage_{self.began_at:%Y%m%d%H%M%S}_{what}_{name}", "alert", body)
            try:
                channels.deliver(channels.configured()[name], message)
                took.add(name)
            except DeliveryError as error:
                logger.warning("The outage of PostgreSQL was not told by %s: %s", name, error)
        return took

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
