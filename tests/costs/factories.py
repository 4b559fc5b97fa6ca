"""Rows of the rollup tables as a rollup would leave them, made without one: for tests of what reads them."""

import math
import random
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from costs.days import local_today
from costs.models import (
    RANGE_DAYS,
    CostBreakdownDaily,
    CostDay,
    CostGlobalDaily,
    CostUserDaily,
    CostUserWindow,
    CostWindow,
    UsageWaitDaily,
)

MILLIONTH = Decimal("0.000001")
SUMS = ("jobs", "ai_calls", "cpu_ms", "tokens_in", "tokens_out", "cost_exact")
TIERS = ("free", "pro", "enterprise")
DOMAINS = ("ai", "rating", "sync", "messaging", "reports", "payments")


def today() -> date:
    return local_today(timezone.now())


def days_ago(days: int) -> date:
    return today() - timedelta(days=days)


def make_staff(name: str = "maren", *, password: str | None = None, **fields: Any) -> User:
    """Make a staff account; without a password only force_login signs it in."""
    return User.objects.create_user(name, password=password, is_staff=True, **fields)


def make_visitor(name: str = "visitor") -> User:
    return User.objects.create_user(name)


def make_global_day(on: date, cost: str = "1", **sums: Any) -> CostGlobalDaily:
    """Store what everything cost on a day; also that it was rolled up just now."""
    CostDay.objects.get_or_create(date=on, defaults={"rolled_up_at": timezone.now()})
    return CostGlobalDaily.objects.create(
        date=on, cost_exact=Decimal(cost), cost_usd=usd(cost), **{"jobs": 1} | sums
    )


def make_breakdown(on: date, kind: str, key: str, cost: str = "1", **sums: Any) -> CostBreakdownDaily:
    return CostBreakdownDaily.objects.create(
        date=on, kind=kind, key=key, cost_exact=Decimal(cost), cost_usd=usd(cost), **sums
    )


def make_waits(on: date, domain: str, waits: Mapping[int, int]) -> None:
    """Store a day's histogram: how many jobs waited within each bucket."""
    UsageWaitDaily.objects.bulk_create(
        UsageWaitDaily(day=on, domain=domain, bucket=bucket, waits=count) for bucket, count in waits.items()
    )


def make_user_day(
    on: date, user_id: str, cost: str = "1", *, tier: str = "pro", **sums: Any
) -> CostUserDaily:
    return CostUserDaily.objects.create(
        user_id=user_id, date=on, tier=tier, cost_exact=Decimal(cost), cost_usd=usd(cost), **sums
    )


def usd(cost: str) -> Decimal:
    return Decimal(cost).quantize(MILLIONTH)


def make_windows() -> None:
    """Sum the user days of each preset range into its window, as the rollup keeps them."""
    for days in RANGE_DAYS:
        users = list(window_rows(days))
        CostUserWindow.objects.bulk_create(users)
        CostWindow.objects.create(days=days, ends_on=today(), users=len(users))


def window_rows(days: int) -> Iterable[CostUserWindow]:
    sums: dict[str, dict[str, Any]] = {}
    for row in CostUserDaily.objects.filter(date__range=(days_ago(days - 1), today())).order_by("date"):
        of_user = sums.setdefault(row.user_id, dict.fromkeys(SUMS, 0) | {"user_days": 0})
        of_user |= {name: of_user[name] + getattr(row, name) for name in SUMS}
        of_user |= {"tier": row.tier, "last_on": row.date, "user_days": of_user["user_days"] + 1}
    return (CostUserWindow(days=days, user_id=user_id, **fields) for user_id, fields in sums.items())


def make_month(*, days: int = 75, users: int = 40, last_on: date | None = None, seed: int = 1) -> None:
    """Store weeks of a lively product that add up: tiers, domains and users sum to each day."""
    chance = random.Random(seed)
    last = last_on or today()
    names = [
        (f"usr_{chance.randrange(36**6):06x}", TIERS[min(2, int(chance.expovariate(1.1)))])
        for _ in range(users)
    ]
    for back in range(days):
        make_lively_day(
            last - timedelta(days=back),
            names,
            chance,
            share=0.45 if last - timedelta(days=back) == today() else 1,
        )
    make_windows()


def make_lively_day(on: date, names: list[tuple[str, str]], chance: random.Random, *, share: float) -> None:
    rhythm = share * (0.45 if on.weekday() > 4 else 1) * (1 + 0.25 * math.sin(on.toordinal() / 9))
    tiers: dict[str, dict[str, int]] = {tier: dict.fromkeys(SUMS[:-1], 0) for tier in TIERS}
    users: list[CostUserDaily] = []
    for index, (user_id, tier) in enumerate(names):
        weight = rhythm * {"free": 0.4, "pro": 1.0, "enterprise": 3.2}[tier] * 14 / (index + 4)
        sums = {
            "jobs": int(180 * weight * chance.uniform(0.7, 1.3)),
            "ai_calls": int(420 * weight * chance.uniform(0.7, 1.3)),
            "cpu_ms": int(9_000_000 * weight * chance.uniform(0.7, 1.3)),
            "tokens_in": int(900_000 * weight * chance.uniform(0.7, 1.3)),
            "tokens_out": int(250_000 * weight * chance.uniform(0.7, 1.3)),
        }  # fmt: skip
        cost = cost_of(sums)
        users.append(
            CostUserDaily(
                user_id=user_id, date=on, tier=tier, cost_exact=cost, cost_usd=usd(str(cost)), **sums
            )
        )
        for name, amount in sums.items():
            tiers[tier][name] += amount
    CostUserDaily.objects.bulk_create(users)
    make_summed_day(on, tiers, chance, users=len(names))


def cost_of(sums: Mapping[str, int]) -> Decimal:
    return (
        sums["cpu_ms"] * Decimal("0.00000002") + sums["tokens_in"] * Decimal("0.00000015")
        + sums["tokens_out"] * Decimal("0.0000006")
    )  # fmt: skip


def make_summed_day(on: date, tiers: dict[str, dict[str, int]], chance: random.Random, *, users: int) -> None:
    for tier, sums in tiers.items():
        make_breakdown(on, "tier", tier, str(cost_of(sums)), **sums)
    whole = {name: sum(sums[name] for sums in tiers.values()) for name in SUMS[:-1]}
    hits = int(whole["ai_calls"] * (0.22 + 0.1 * (on.toordinal() % 30) / 30))
    rest = {
        "cache_hits": hits,
        "unpriced_calls": whole["ai_calls"] // 60,
        "job_failures": whole["jobs"] // 47,
    }
    make_global_day(on, str(cost_of(whole)), users=users - chance.randrange(users // 4 + 1), **whole, **rest)
    left = dict(whole)
    for index, domain in enumerate(DOMAINS):
        part = {name: left[name] // 2 if index < len(DOMAINS) - 1 else left[name] for name in left}
        left = {name: left[name] - part[name] for name in left}
        make_breakdown(on, "domain", domain, str(cost_of(part)), job_failures=part["jobs"] // 47, **part)
        make_waits(
            on,
            domain,
            {30 + index * 3: part["jobs"] // 2, 44 + index * 4: part["jobs"] // 3, 12: part["jobs"] // 6},
        )
    for model, unpriced in (("gpt-4o-mini", 0), ("o5-nano-preview", rest["unpriced_calls"])):
        make_breakdown(on, "model", model, "0", ai_calls=whole["ai_calls"] // 2, unpriced_calls=unpriced)
