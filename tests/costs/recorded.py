"""Two months of recorded events, folded and rolled up as in production, to look behind figures."""

import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from costs import tasks, windows
from costs.models import ModelPrice
from tests.costs.events import call, job, store
from tests.costs.factories import days_ago, today

HOSTILE = (
    "<script>alert(1)</script>",
    "\u202eمرحبا evil",
    "=cmd()|'/C calc'!A0",
    "🦄" * 20,
    "漢字" * 20,
    "../..",
    "a/b?c#d%2F",
    '"><img src=x>',
)
USERS = ("usr_a", "usr_b", "usr_c", "usr_d")
MODELS = ("m-priced", "m-cheap", "m-unknown")
TIERS = ("free", "pro", "enterprise")
DOMAINS = ("ai", "sync", "reports")
JOB_TYPES = ("sync_cdrs", "build_report", "rate_calls")


def make_events(*, days: int = 12, each_day: int = 8, seed: int = 7) -> None:
    """Store random jobs and calls of the days that end today, priced anew within them; roll up."""
    chance = random.Random(seed)
    for model, back, usd in (("m-priced", 80, "3"), ("m-priced", 12, "2.5"), ("m-cheap", 20, "0.07")):
        price(model, back, usd)
    now = timezone.now()
    events = [event(chance, back) for back in range(days) for _ in range(each_day)]
    store(*(one for one in events if one["created_at"] < now))
    settle()


def settle() -> None:
    """Do what the worker does: fold, roll up, move the preset ranges."""
    tasks.fold_usage()
    windows.advance(today())
    tasks.rollup_due_days()
    tasks.rollup_open_days()


def price(model: str, back: int, usd: str) -> None:
    """Store a price from a day on: output costs four times, cached input a tenth."""
    earlier = ModelPrice.objects.filter(llm_model=model, effective_to=None)
    earlier.update(effective_to=days_ago(back))
    ModelPrice.objects.create(
        llm_model=model,
        effective_from=days_ago(back),
        input_usd_per_million=Decimal(usd),
        cached_input_usd_per_million=Decimal(usd) / 10,
        output_usd_per_million=Decimal(usd) * 4,
        request_usd=Decimal("0.00001"),
        source="test",
    )


def event(chance: random.Random, back: int) -> dict[str, Any]:
    at = timezone.now() - timedelta(days=back, minutes=chance.randrange(1, 1400))
    who = {"user_id": pick(chance, USERS), "tier": pick(chance, TIERS), "domain": pick(chance, DOMAINS)}
    if chance.random() < 0.4:
        return job(
            at, **who, job_type=pick(chance, JOB_TYPES), cpu_ms=chance.randrange(10**6),
            rows_read=chance.randrange(10**4), rows_written=chance.randrange(100),
            duration_ms=chance.randrange(10**5), queued_at=None, success=chance.random() < 0.9,
        )  # fmt: skip
    given, hit = chance.randrange(10**5), chance.random() < 0.2
    tokens = {} if hit else {
        "input_tokens": given, "cached_input_tokens": given // 3, "output_tokens": chance.randrange(10**4),
    }  # fmt: skip
    model = pick(chance, MODELS)
    return call(at, **who, llm_model=model, cache_hit=hit, duration_ms=chance.randrange(9000)) | tokens


def pick(chance: random.Random, names: Sequence[str]) -> str:
    return chance.choice(names)


def make_hostile_events() -> None:
    """Store a job and a call of every hostile name, wherever a name may stand."""
    at = timezone.now() - timedelta(days=1)
    for name in HOSTILE:
        short = {"user_id": name, "tier": name[:16], "domain": name[:16]}
        failing = {"success": False, "error_code": name}
        store(
            job(at, **short, **failing, job_type=name, job_id=name, cpu_ms=9),
            call(at, **short, **failing, llm_model=name, context_type=name[:32], input_tokens=9),
        )
    settle()
