"""The counters in Redis: one script a question, a short limit on each answer, a pause after a failure."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

LIMIT_S: Final = 0.25
PAUSE_S: Final = 1.0
PREFIX: Final = "hp:budget:"
CAPS: Final = f"{PREFIX}caps"
EXPIRIES: Final = f"{PREFIX}expiries"
LEASES: Final = f"{PREFIX}leases"
LATE: Final = f"{PREFIX}late"
HABITS: Final = f"{PREFIX}habits"
SCRIPTS: Final = ("admit", "settle", "renew", "seed")
FOLDER: Final = Path(__file__).parent


class CountersAway(Exception):  # noqa: N818 - a state rather than a mistake
    """Redis does not answer; what is decided meanwhile comes from this process's share."""


class Counters:
    """Runs the scripts; after a failure it waits PAUSE_S before it asks again."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(
            url, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S, retry=Retry(NoBackoff(), 0)
        )
        common = (FOLDER / "common.lua").read_text()
        self.sources = {name: f"{common}\n{(FOLDER / f'{name}.lua').read_text()}" for name in SCRIPTS}
        self.digests: dict[str, str] = {}
        self.retry_at = 0.0

    def run(self, name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Return what a script answers; raises CountersAway."""
        return self.ask(lambda: self.evaluate(name, keys, arguments))

    def ask(self, question: Any) -> Any:
        """Return what Redis answers; raises CountersAway when it does not, or did not a moment ago."""
        if time.monotonic() < self.retry_at:
            raise CountersAway
        try:
            return question()
        except (redis.RedisError, OSError) as error:
            self.retry_at = time.monotonic() + PAUSE_S
            raise CountersAway(str(error)) from error

    def evaluate(self, name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a script by its digest, loading it where this Redis does not have it (yet, or any more)."""
        digest = self.digests.get(name)
        if digest:
            try:
                return self.client.evalsha(digest, len(keys), *keys, *arguments)
            except NoScriptError:
                pass
        self.digests[name] = self.client.script_load(self.sources[name])
        return self.client.evalsha(self.digests[name], len(keys), *keys, *arguments)


def counter_key(day: str, scope: str) -> str:
    """Return the key of one scope's counters on one local day (as 2026-05-31)."""
    return f"{PREFIX}{day}:{scope}"


def make_counters() -> Counters:
    """Make the counters of this process."""
    return Counters(settings.REDIS_ADDRESS)
