"""The short way of the script admits what the long one does, and nothing else, and writes the same."""

import random
import struct
from typing import Any

import pytest

from costs.throttle import counters as scripts
from costs.throttle.caps import KNOWN, NONE, PACKED
from costs.throttle.counters import CAPS, COUNTERS, EXPIRIES, PREFIX, make_counters
from costs.throttle.wire import packed

NAMES = ("global:", "tier:pro", "domain:ai", "user:ada")
DAY = "2026-11-30"
HABIT = struct.Struct("<10d")
ROUNDS = 400


def scene(chance: random.Random) -> dict[str, dict[str, bytes]]:
    """Return caps, counters and a habit: some scopes uncapped, uncounted, empty, full or nearly so."""
    caps = {
        name: PACKED.pack(*(chance.choice((NONE, NONE, 0, 1, 7, 100, 10**6)) for _ in range(6)))
        for name in ("user:*", *NAMES)
        if chance.random() < 0.6
    }
    if chance.random() < 0.5:
        caps = {
            name: PACKED.pack(*(max(100, cap) for cap in PACKED.unpack(one))) for name, one in caps.items()
        }
    counted = {
        name: COUNTERS.pack(*(chance.choice((0, 0, 1, 6, 30, 79)) for _ in range(11)))
        for name in NAMES
        if chance.random() < 0.95
    }
    if chance.random() < 0.5:
        stretches = [chance.choice((1, 1.3, 10)) for _ in range(5)]
        usual = [chance.choice((0, 0.4, 3, 50)) for _ in range(5)]
        counted["habit:pro/ai"] = HABIT.pack(*usual, *stretches)
    return {CAPS: caps | ({KNOWN: b"1"} if chance.random() < 0.95 else {}), f"{PREFIX}{DAY}": counted}


def question(chance: random.Random) -> tuple[bytes, int]:
    names = [name.encode() for name in NAMES[: chance.choice((3, 4))]]
    estimates = [chance.choice((-1, 0, 1, 5, 20)) for _ in range(5)]
    estimates[1] = chance.choice((0, 1, 32))
    percents = [chance.choice((80, 90, 100)) for _ in range(4)]
    numbers = struct.pack("<12d", 300_000, chance.choice((0, 1)), *estimates, *percents, 0)
    return packed(DAY.encode(), b"pro/ai", numbers, *names), len(names) + 3


def outcome(counters: Any, there: dict[str, dict[str, bytes]], asked: tuple[bytes, int]) -> tuple[Any, ...]:
    """Return the answer in one form, and what Redis holds after it."""
    client = counters.client
    client.flushall()
    for key, fields in there.items():
        if fields:
            client.hset(key, mapping=fields)
    answer = counters.admit("a lease", *asked)
    if isinstance(answer, bytes):
        scope, *rest = struct.unpack("<4q", answer)
        answer = [1, scope, *rest] if scope else [1]
    held = client.hgetall(f"{PREFIX}leases"), client.zcard(EXPIRIES)
    return [int(part) for part in answer], client.hgetall(f"{PREFIX}{DAY}"), held


@pytest.mark.usefixtures("fresh_counters")
def test_the_short_way_and_the_long_way_do_the_same() -> None:
    both, long = make_counters(), make_counters()
    common, own = ((scripts.FOLDER / f"{name}.lua").read_text() for name in ("common", "admit"))
    long.sources["admit"] = f"{common}\n{own}"
    chance, admitted = random.Random(6), 0
    for number in range(ROUNDS):
        there, asked = scene(chance), question(chance)
        short_way, long_way = outcome(both, there, asked), outcome(long, there, asked)
        assert short_way == long_way, number
        admitted += short_way[0][0] == 1
    assert ROUNDS / 10 < admitted < ROUNDS * 9 / 10
