"""The synthetic product that seed_telemetry plays: its users, their rhythm, its jobs and its models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import TypeVar

T = TypeVar("T")

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"

# How busy a product for teams is by the hour of its users' own day; office hours carry it.
HOURS = (2, 1, 1, 1, 1, 2, 4, 9, 18, 26, 30, 29, 22, 24, 29, 30, 28, 22, 14, 9, 7, 6, 4, 3)
WEEKDAYS = (1.0, 1.06, 1.05, 1.0, 0.88, 0.34, 0.28)
# Hours east of UTC and share of users: California, New York, London, Berlin, Kolkata, Singapore, Tokyo.
ZONES = ((-8.0, 14), (-5.0, 24), (0.0, 12), (1.0, 22), (5.5, 10), (8.0, 10), (9.0, 8))
DAILY_GROWTH = 1.006
SHARE_THERE_FROM_THE_START = 0.7

# Share of users, and actions on a weekday of a user of weight 1; the weights are heavy-tailed (Pareto).
TIERS = {"free": (0.70, 5.0), "pro": (0.25, 26.0), "enterprise": (0.05, 110.0)}
UPGRADES = {"free": ("pro", 0.06), "pro": ("enterprise", 0.04)}
TAIL = 1.35
LARGEST_WEIGHT = 40.0


@dataclass(frozen=True)
class Work:
    """One kind of job: how often, how long, what it takes, how it fails, and what it asks of a model.

    Attributes:
        share: of all actions.
        duration_ms, wait_ms: medians; `spread` is the sigma of the logarithm of both.
        cpu: CPU time as a share of the duration.
        rows_read, rows_written: medians of database rows.
        failing: probability that an attempt fails; `errors` says with what.
        calls: mean number of LLM calls, of the kind `context`.
    """

    name: str
    domain: str
    share: float
    duration_ms: int
    spread: float
    wait_ms: int
    cpu: float
    rows_read: int
    rows_written: int
    mem_mb: int
    failing: float
    errors: tuple[str, ...]
    calls: float = 0.0
    context: str = ""


NOTE, REPLY, LABEL, EMBED = "summary", "reply", "classification", "embedding"
AI_FAULTS = ("llm_rate_limited", "llm_timeout", "context_too_long")
RATING_FAULTS = ("rate_missing", "lock_timeout")
SYNC_FAULTS = ("upstream_timeout", "upstream_5xx", "bad_payload")
SEND_FAULTS = ("recipient_unknown", "provider_5xx")
IO_FAULTS = ("lock_timeout", "out_of_memory", "storage_unavailable")
PAY_FAULTS = ("card_declined", "provider_5xx")
# fmt: off
WORKS = (
    Work("summarize_thread", "ai", 13, 4_200, 0.7, 350, 0.06, 40, 3, 140, 0.02, AI_FAULTS, 1.3, NOTE),
    Work("draft_reply", "ai", 15, 2_900, 0.6, 180, 0.05, 25, 2, 130, 0.018, AI_FAULTS, 1.1, REPLY),
    Work("classify_ticket", "ai", 14, 900, 0.5, 120, 0.08, 12, 1, 110, 0.008, AI_FAULTS, 1.0, LABEL),
    Work("embed_documents", "ai", 6, 6_500, 0.9, 900, 0.12, 320, 320, 260, 0.012, AI_FAULTS, 2.2, EMBED),
    Work("rate_calls", "rating", 8, 9_000, 0.8, 1_500, 0.82, 5_200, 2_600, 310, 0.006, RATING_FAULTS),
    Work("rerate_batch", "rating", 1, 95_000, 0.9, 9_000, 0.86, 61_000, 30_000, 720, 0.03, RATING_FAULTS),
    Work("sync_cdrs", "sync", 9, 14_000, 0.8, 2_200, 0.35, 900, 1_700, 210, 0.025, SYNC_FAULTS),
    Work("sync_contacts", "sync", 6, 5_200, 0.8, 1_100, 0.3, 420, 180, 160, 0.02, SYNC_FAULTS),
    Work("send_message", "messaging", 14, 420, 0.5, 90, 0.15, 6, 2, 90, 0.015, SEND_FAULTS),
    Work("send_campaign", "messaging", 2, 48_000, 0.9, 6_000, 0.25, 4_000, 4_000, 240, 0.02, SEND_FAULTS),
    Work("build_report", "reports", 4, 22_000, 0.9, 4_000, 0.6, 38_000, 60, 480, 0.01, IO_FAULTS, 0.4, NOTE),
    Work("export_csv", "reports", 3, 12_000, 1.0, 2_500, 0.55, 24_000, 1, 330, 0.008, IO_FAULTS),
    Work("charge_invoice", "payments", 3, 1_900, 0.5, 200, 0.1, 14, 5, 95, 0.045, PAY_FAULTS),
    Work("check_payment", "payments", 2, 700, 0.5, 150, 0.1, 8, 1, 90, 0.01, PAY_FAULTS),
)
# fmt: on
WORK_SHARES = tuple(accumulate(work.share for work in WORKS))
# What an outage of the database does to jobs of every kind, on one afternoon.
INCIDENT_ERRORS = ("db_pool_exhausted", "upstream_timeout", "lock_timeout")
INCIDENT_HOURS = range(13, 17)
INCIDENT_FAILING = 0.38
INCIDENT_WAIT = 45

# Per kind of context: median tokens in and out, spread, chance that the call is skipped as unchanged.
CONTEXTS = {
    "summary": (2_600, 210, 0.8, 0.22),
    "reply": (1_150, 160, 0.7, 0.05),
    "classification": (420, 12, 0.4, 0.14),
    "embedding": (3_800, 0, 0.7, 0.18),
    "chat": (900, 240, 0.9, 0.02),
}
PROVIDERS = {
    "gpt-4o-mini": "openai",
    "gpt-4o": "openai",
    "gpt-4.1-nano": "openai",
    "text-embedding-3-small": "openai",
    "claude-3-5-haiku-20241022": "anthropic",
    "claude-sonnet-4-5": "anthropic",
    "llama-3.1-8b-instruct": "local",
}
# Tokens a second and milliseconds before the first one.
SPEEDS = {"openai": (95.0, 380), "anthropic": (70.0, 620), "local": (38.0, 210)}
# Model and weight by tier; in the middle of the span the free tier moves to a smaller model.
MODELS: dict[str, Sequence[tuple[str, int]]] = {
    "free": (("gpt-4o-mini", 92), ("llama-3.1-8b-instruct", 8)),
    "free, later": (("gpt-4.1-nano", 78), ("gpt-4o-mini", 12), ("llama-3.1-8b-instruct", 10)),
    "pro": (("gpt-4o-mini", 58), ("gpt-4o", 22), ("claude-3-5-haiku-20241022", 20)),
    "enterprise": (("gpt-4o", 46), ("claude-sonnet-4-5", 30), ("gpt-4o-mini", 24)),
}
LLM_ERRORS = ("rate_limited", "timeout", "overloaded")


@dataclass(frozen=True)
class User:
    """One user: where, how busy, since when, and from which day (counted from 0) on another tier."""

    id: str
    tier: str
    later_tier: str
    upgrade_day: int
    first_day: int
    offset_h: float
    actions: float

    def tier_on(self, day: int) -> str:
        """Return the tier on a day of the span, counted from 0."""
        return self.later_tier if day >= self.upgrade_day else self.tier


def make_users(count: int, days: int, rng: Random) -> list[User]:
    """Return the users of a span of days, their ids all different."""
    taken: set[str] = set()
    return [make_user(days, rng, taken) for _ in range(count)]


def make_user(days: int, rng: Random, taken: set[str]) -> User:
    """Return one user, adding the id to those that are taken."""
    while (name := "usr_" + "".join(rng.choices(ALPHABET, k=6))) in taken:
        pass
    taken.add(name)
    tier = pick([(tier, share) for tier, (share, _) in TIERS.items()], rng)
    later, chance = UPGRADES.get(tier, (tier, 0.0))
    upgrades = rng.random() < chance and days > 3
    weight = min(LARGEST_WEIGHT, rng.paretovariate(TAIL)) / 2.6
    return User(
        id=name,
        tier=tier,
        later_tier=later if upgrades else tier,
        upgrade_day=rng.randrange(2, days) if upgrades else days,
        first_day=0 if rng.random() < SHARE_THERE_FROM_THE_START else rng.randrange(days),
        offset_h=pick(ZONES, rng),
        actions=weight * TIERS[tier][1],
    )


def rhythm(day: date, offset_h: float) -> tuple[float, ...]:
    """Return the cumulated activity of the 24 UTC hours of a day, 1 in all on an average weekday."""
    weights = []
    for hour in range(24):
        local_h = hour + offset_h
        weekday = (day + timedelta(days=local_h // 24)).weekday()
        weights.append(HOURS[int(local_h % 24)] * WEEKDAYS[weekday] / sum(HOURS))
    return tuple(accumulate(weights))


def pick(choices: Sequence[tuple[T, float]], rng: Random) -> T:
    """Return one of the choices by its weight."""
    values, weights = zip(*choices, strict=True)
    chosen: T = rng.choices(values, weights)[0]
    return chosen
