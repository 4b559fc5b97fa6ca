"""The counters in Redis: one script a question, a short limit on each answer, a pause after a failure."""

import re
import struct
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

from costs.throttle.wire import Wire, packed

# A busy machine may take its time, and whoever gives up too soon decides alone: together they admit too much.
LIMIT_S: Final = 1.0
PAUSE_S: Final = 5.0
PREFIX: Final = "hp:budget:"
CAPS: Final = f"{PREFIX}caps"
EXPIRIES: Final = f"{PREFIX}expiries"
SCRIPTS: Final = ("admit", "settle", "renew", "seed")
FOLDER: Final = Path(__file__).parent
COUNTERS: Final = struct.Struct("<11d")


class CountersAway(Exception):  # noqa: N818 - a state rather than a mistake
    """Redis does not answer; what is decided meanwhile comes from this process's share."""


class StaleConnection(Exception):  # noqa: N818 - a state rather than a mistake
    """A connection was closed while nobody used it."""


class Counters:
    """Runs the scripts; after a failure it waits PAUSE_S before it asks again.

    All keys lie in one instance: the scripts make them from the day, so a Redis cluster is not for this.
    """

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(
            url, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S, retry=Retry(NoBackoff(), 0)
        )
        self.sources = {name: source(name) for name in SCRIPTS}
        self.heads: dict[tuple[str, int], bytes] = {}
        self.idle: list[Wire] = []
        self.retry_at = 0.0

    def run(self, name: str, *arguments: str | int) -> Any:
        """Return what a script answers; raises CountersAway."""
        text = packed(joined(arguments).encode())
        try:
            return self.evaluate(name, text, 1)
        except StaleConnection:
            return self.evaluate(name, text, 1)

    def admit(self, lease: str, question: bytes, arguments: int) -> Any:
        """Return what the script admit answers; question: its arguments behind the lease, and how many.

        Raises CountersAway, and StaleConnection where nobody knows if Redis did it: ask with a new lease.
        """
        name = lease.encode()
        return self.evaluate("admit", b"$%d\r\n%b\r\n%b" % (len(name), name, question), arguments + 1)

    def evaluate(self, name: str, arguments: bytes, count: int) -> Any:
        """Run a script by its digest, loading it where this Redis does not have it (yet, or any more)."""
        if time.monotonic() < self.retry_at:
            raise CountersAway
        try:
            head = self.heads.get((name, count)) or self.load(name, count)
            try:
                return self.exchange(head + arguments)
            except NoScriptError:
                return self.exchange(self.load(name, count) + arguments)
        except (redis.RedisError, OSError) as error:
            self.retry_at = time.monotonic() + PAUSE_S
            raise CountersAway(str(error)) from error

    def load(self, name: str, count: int) -> bytes:
        """Bring a script to Redis and return how a command that runs it with so many arguments begins."""
        digest = str(self.client.script_load(self.sources[name])).encode()
        head = b"*%d\r\n%b" % (count + 3, packed(b"EVALSHA", digest, b"0"))
        self.heads[name, count] = head
        return head

    def exchange(self, message: bytes) -> Any:
        """Ask on a connection that nobody uses now, made where there is none."""
        try:
            wire, is_used = self.idle.pop(), True
        except IndexError:
            wire, is_used = Wire(self.client.connection_pool, limit_s=LIMIT_S), False
        try:
            answer = wire.ask(message)
        except redis.ResponseError:
            self.idle.append(wire)
            raise
        except OSError as error:
            wire.close()
            if is_used and isinstance(error, ConnectionError):
                # Redis was restarted, or closes connections that are idle: all of them are as old.
                self.idle.clear()
                raise StaleConnection from error
            raise
        self.idle.append(wire)
        return answer

    def ask(self, question: Callable[[], Any]) -> Any:
        """Return what Redis answers; raises CountersAway when it does not, or did not a moment ago."""
        if time.monotonic() < self.retry_at:
            raise CountersAway
        try:
            return question()
        except (redis.RedisError, OSError) as error:
            self.retry_at = time.monotonic() + PAUSE_S
            raise CountersAway(str(error)) from error

    def of(self, day: str, scope: str) -> tuple[list[int], list[int]] | None:
        """Return what a scope used and reserved on a day, place by place; None where it is not counted."""
        kept = self.ask(lambda: self.client.hget(f"{PREFIX}{day}", scope))
        if kept is None:
            return None
        _, *counters = (int(number) for number in COUNTERS.unpack(kept))
        return counters[:5], counters[5:]


def source(name: str) -> str:
    """Return a script's text: what all share, then its own; the usual case of admit before both."""
    common, own = ((FOLDER / f"{part}.lua").read_text() for part in ("common", name))
    quick = unrolled((FOLDER / "quick.lua").read_text()) if name == "admit" else ""
    return f"{quick}\n{common}\n{own}"


def unrolled(text: str) -> str:
    """Return a script with the comment that stands for all places written out for each of the six."""
    before, block, after = re.split(r"--\[\[ once for each[^\n]*\n(.*?)\]\]", text, flags=re.DOTALL)
    return before + "".join(map(partial(of_place, block), range(1, 7))) + after


def of_place(block: str, number: int) -> str:
    """Return the lines for one place; the sixth, of the month, counts the fifth's and what was before."""
    column = min(number, 5)
    names = {
        "cap": f"c{number}",
        "wanted": f"w{column}",
        "needed": f"n{column}",
        "counted": f"{'before + ' if number > column else ''}u{column} + r{column}",
        "number": f"{number}",
    }
    return re.sub(rf"\b({'|'.join(names)})\b", lambda found: names[found[1]], block)


def joined(arguments: Sequence[str | int]) -> str:
    """Return arguments as the scripts read them: one text, NUL between them and none inside."""
    texts = [str(argument) for argument in arguments]
    text = "\0".join(texts)
    # Mostly no argument holds one, and looking once is quicker than at each.
    if text.count("\0") == len(texts) - 1:
        return text
    return "\0".join([one.replace("\0", "\ufffd") for one in texts])


def make_counters() -> Counters:
    """Make the counters of this process."""
    return Counters(settings.REDIS_ADDRESS)
