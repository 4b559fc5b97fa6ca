"""The counters in Redis: one script a question, a short limit on each answer, a pause after a failure."""

import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

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


class Counters:
    """Runs the scripts; after a failure it waits PAUSE_S before it asks again.

    All keys lie in one instance: the scripts make them from the day, so a Redis cluster is not for this.
    """

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(
            url, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S, retry=Retry(NoBackoff(), 0)
        )
        common = (FOLDER / "common.lua").read_text()
        self.sources = {name: f"{common}\n{(FOLDER / f'{name}.lua').read_text()}" for name in SCRIPTS}
        self.digests: dict[str, str] = {}
        self.retry_at = 0.0

    def run(self, name: str, *arguments: str | int) -> Any:
        """Return what a script answers; raises CountersAway."""
        text = joined(arguments)
        return self.ask(lambda: self.evaluate(name, text))

    def ask(self, question: Callable[[], Any]) -> Any:
        """Return what Redis answers; raises CountersAway when it does not, or did not a moment ago."""
        if time.monotonic() < self.retry_at:
            raise CountersAway
        try:
            return question()
        except (redis.RedisError, OSError) as error:
            self.retry_at = time.monotonic() + PAUSE_S
            raise CountersAway(str(error)) from error

    def evaluate(self, name: str, text: str) -> Any:
        """Run a script by its digest, loading it where this Redis does not have it (yet, or any more)."""
        digest = self.digests.get(name)
        if digest:
            try:
                return self.client.evalsha(digest, 0, text)
            except NoScriptError:
                pass
        self.digests[name] = self.client.script_load(self.sources[name])
        return self.client.evalsha(self.digests[name], 0, text)

    def of(self, day: str, scope: str) -> tuple[list[int], list[int]] | None:
        """Return what a scope used and reserved on a day, place by place; None where it is not counted."""
        kept = self.ask(lambda: self.client.hget(f"{PREFIX}{day}", scope))
        if kept is None:
            return None
        _, *counters = (int(number) for number in COUNTERS.unpack(kept))
        return counters[:5], counters[5:]


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
