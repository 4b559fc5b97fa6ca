"""Rows of the rollup tables as a rollup would leave them, made without one: for tests of what reads them."""

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
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
from healthpilot.tokens.issuing import issue
from healthpilot.web.roles import Role

MILLIONTH = Decimal("0.000001")
SUMS = ("jobs", "ai_calls", "cpu_ms", "tokens_in", "tokens_out", "cost_exact")
TIERS = ("free", "pro", "enterprise")
AMOUNTS = {"jobs": 180, "ai_calls": 420, "cpu_ms": 9_000_000, "tokens_in": 900_000, "tokens_out": 250_000}
TIER_WEIGHTS = {"free": 0.4, "pro": 1.0, "enterprise": 3.2}
DOMAINS = ("ai", "rating", "sync", "messaging", "reports", "payments")

OF_A_MONTH: Sequence[type[Model]] = (
    CostBreakdownDaily, CostDay, CostGlobalDaily, CostUserDaily, CostUserWindow, CostWindow, UsageWaitDaily,
)  # fmt: skip
months: dict[tuple[int, int, int, date], dict[str, bytes]] = {}


def today() -> date:
    return local_today(timezone.now())


def days_ago(days: int) -> date:
    return today() - timedelta(days=days)


def make_staff(name: str = "maren", *, password: str | None = None, **fields: Any) -> User:
    """Make a staff account; without a password only force_login signs it in."""
    return User.objects.create_user(name, password=password, is_staff=True, **fields)


def make_admin(name: str = "root", *, password: str | None = None) -> User:
    return make_staff(name, password=password, is_superuser=True)


def make_with_role(role: Role, name: str = "") -> User:
    """Make a staff account in the role's group, which tests that commit may have emptied away."""
    user = make_staff(name or role.group)
    user.groups.add(Group.objects.get_or_create(name=role.group)[0])
    return user


def make_token(*scopes: str, name: str = "tests", **fields: Any) -> str:
    """Make an API token and return its text."""
    return issue(name=name, scopes=list(scopes), created_by="tests", **fields).text


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def make_visitor(name: str = "visitor") -> User:
    return User.objects.create_user(name)


def make_global_day(on: date, cost: str = "1", **sums: Any) -> CostGlobalDaily:
    """Store what everything cost on a day; also that it was rolled up just now."""
    CostDay.objects.get_or_create(date=on, defaults={"rolled_up_at": timezone.now()})
    row = global_day(on, cost, **sums)
    row.save(force_insert=True)
    return row


def global_day(on: date, cost: str, **sums: Any) -> CostGlobalDaily:
    return CostGlobalDaily(date=on, cost_exact=Decimal(cost), cost_usd=usd(cost), **{"jobs": 1} | sums)


def make_breakdown(on: date, kind: str, key: str, cost: str = "1", **sums: Any) -> CostBreakdownDaily:
    row = breakdown(on, kind, key, cost, **sums)
    row.save(force_insert=True)
    return row


def breakdown(on: date, kind: str, key: str, cost: str, **sums: Any) -> CostBreakdownDaily:
    return CostBreakdownDaily(
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
    row = user_day(on, user_id, cost, tier=tier, **sums)
    row.save(force_insert=True)
    return row


def user_day(on: date, user_id: str, cost: str, *, tier: str, **sums: Any) -> CostUserDaily:
    return CostUserDaily(
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


def make_month(*, days: int = 75, users: int = 40, seed: int = 1) -> None:
    """Store weeks of a lively product that end today and add up: tiers, domains and users sum to each day.

    What was made once in empty tables is kept and copied from then on, fifty times as fast.
    """
    asked = (days, users, seed, today())
    if kept := months.get(asked):
        copy_in(kept)
        CostDay.objects.update(rolled_up_at=timezone.now())
        return
    was_empty = not any(model._base_manager.exists() for model in OF_A_MONTH)
    chance = random.Random(seed)
    names = [
        (f"usr_{chance.randrange(36**6):06x}", TIERS[min(2, int(chance.expovariate(1.1)))])
        for _ in range(users)
    ]
    rows: list[Model] = []
    for back in range(days):
        rows += lively_day(days_ago(back), names, chance, share=1 if back else 0.45)
    store(rows)
    make_windows()
    if was_empty:
        months[asked] = copied_out()


def copied_out() -> dict[str, bytes]:
    """Return the rows of a month's tables as COPY gives them."""
    kept = {}
    with connection.cursor() as cursor:
        for model in OF_A_MONTH:
            with cursor.copy(f"COPY {model._meta.db_table} TO STDOUT (FORMAT binary)") as copy:
                kept[model._meta.db_table] = b"".join(copy)
    return kept


def copy_in(kept: Mapping[str, bytes]) -> None:
    with connection.cursor() as cursor:
        for table, rows in kept.items():
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(rows)


def store(rows: Iterable[Model]) -> None:
    """Store rows of any tables with one statement a table."""
    for _, of_kind in groupby(sorted(rows, key=lambda row: row._meta.db_table), key=type):
        alike = list(of_kind)
        alike[0]._meta.default_manager.bulk_create(alike)  # type: ignore[union-attr] # every row is of a model


def lively_day(
    on: date, names: Sequence[tuple[str, str]], chance: random.Random, *, share: float
) -> Iterator[Model]:
    rhythm = share * (0.45 if on.weekday() > 4 else 1) * (1 + 0.25 * math.sin(on.toordinal() / 9))
    tiers: dict[str, dict[str, int]] = {tier: dict.fromkeys(AMOUNTS, 0) for tier in TIERS}
    for index, (user_id, tier) in enumerate(names):
        weight = rhythm * TIER_WEIGHTS[tier] * 14 / (index + 4)
        sums = {name: int(amount * weight * chance.uniform(0.7, 1.3)) for name, amount in AMOUNTS.items()}
        yield user_day(on, user_id, str(cost_of(sums)), tier=tier, **sums)
        for name, amount in sums.items():
            tiers[tier][name] += amount
    yield from summed_day(on, tiers, users=len(names) - chance.randrange(len(names) // 4 + 1))


def cost_of(sums: Mapping[str, int]) -> Decimal:
    return (
        sums["cpu_ms"] * Decimal("0.00000002") + sums["tokens_in"] * Decimal("0.00000015")
        + sums["tokens_out"] * Decimal("0.0000006")
    )  # fmt: skip


def summed_day(on: date, tiers: Mapping[str, Mapping[str, int]], *, users: int) -> Iterator[Model]:
    """Yield a day's rows above its users: tiers, everything, domains, models."""
    for tier, sums in tiers.items():
        yield breakdown(on, "tier", tier, str(cost_of(sums)), **sums)
    whole = {name: sum(sums[name] for sums in tiers.values()) for name in AMOUNTS}
    unpriced = whole["ai_calls"] // 60
    yield CostDay(date=on, rolled_up_at=timezone.now())
    yield global_day(
        on, str(cost_of(whole)), users=users, unpriced_calls=unpriced, job_failures=whole["jobs"] // 47,
        cache_hits=int(whole["ai_calls"] * (0.22 + 0.1 * (on.toordinal() % 30) / 30)), **whole,
    )  # fmt: skip
    yield from domain_rows(on, whole)
    for model, without_price in (("gpt-4o-mini", 0), ("o5-nano-preview", unpriced)):
        yield breakdown(
            on, "model", model, "0", ai_calls=whole["ai_calls"] // 2, unpriced_calls=without_price
        )


def domain_rows(on: date, whole: Mapping[str, int]) -> Iterator[Model]:
    """Yield the domains, each with half of what the ones before left, and their waits."""
    left = dict(whole)
    for index, domain in enumerate(DOMAINS):
        part = left if index == len(DOMAINS) - 1 else {name: amount // 2 for name, amount in left.items()}
        left = {name: left[name] - part[name] for name in left}
        yield breakdown(on, "domain", domain, str(cost_of(part)), job_failures=part["jobs"] // 47, **part)
        for bucket, share in ((12, 6), (30 + index * 3, 2), (44 + index * 4, 3)):
            yield UsageWaitDaily(day=on, domain=domain, bucket=bucket, waits=part["jobs"] // share)
