"""A piece of work as a budget check sees it: whose it is, and what it is expected to take."""

import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import Error

from costs.pricing import Rates, job_cost, llm_cost
from costs.rollup.rates import rates_on
from costs.throttle import apart
from costs.throttle.amounts import UNKNOWN, Amounts, nano
from costs.throttle.scopes import Scope, applying

RATES_FRESH_S: Final = 30.0
_rates: dict[date, tuple[float, Rates]] = {}


@dataclass(frozen=True, slots=True)
class Work:
    """Work that asks whether it may run: the scopes that bind it, with their percents, and its estimates."""

    tier: str
    domain: str
    user_id: str
    scopes: tuple[tuple[Scope, int], ...]
    estimates: Amounts
    may_downgrade: bool

    @property
    def habit(self) -> str:
        """What its usual amounts are kept under."""
        return f"{self.tier}/{self.domain}"


def work_of(
    *, tier: str, domain: str, user_id: str | int | UUID | None, estimates: Amounts, may_downgrade: bool
) -> Work:
    """Return the work with the scopes that apply to it; a primary key is the same user as its text."""
    who = keepable("" if user_id is None else str(user_id))
    tier, domain = keepable(tier), keepable(domain)
    scopes = tuple(applying(tier=tier, domain=domain, user_id=who))
    return Work(tier, domain, who, scopes, estimates, may_downgrade)


def keepable(name: str) -> str:
    """Return a name as Redis and PostgreSQL can keep it, a question mark for each character they cannot."""
    if name.isascii() and "\0" not in name:
        return name
    return name.encode(errors="replace").decode().replace("\0", "?")


def estimated(
    day: date, *, cpu_ms: int, input_tokens: int, output_tokens: int, cost_usd: Decimal | None, model: str
) -> Amounts:
    """Return what one piece of work is expected to take, what nobody stated as unknown.

    Work that states nothing may take anything. Of a call that states one side of its tokens the other side is
    unknown. The cost follows from the rest where that is known.
    """
    if not (cpu_ms or input_tokens or output_tokens or cost_usd is not None):
        return Amounts(UNKNOWN, 1, UNKNOWN, UNKNOWN, UNKNOWN)
    is_call = bool(input_tokens or output_tokens)
    tokens_in, tokens_out = (
        tokens or (UNKNOWN if is_call else 0) for tokens in (input_tokens, output_tokens)
    )
    if cost_usd is not None:
        cost = nano(cost_usd)
    elif UNKNOWN in (tokens_in, tokens_out):
        cost = UNKNOWN
    else:
        cost = real_cost(day, cpu_ms=cpu_ms, input_tokens=tokens_in, output_tokens=tokens_out, model=model)
    return Amounts(cpu_ms, 1, tokens_in, tokens_out, cost)


def real_cost(
    day: date, *, cpu_ms: int, input_tokens: int, output_tokens: int, model: str, cached_tokens: int = 0
) -> int:
    """Return what work costs by the day's rates, in nano-dollars; before a call none are known as cached."""
    rates = fresh_rates(day)
    cost = job_cost(rates, cpu_ms=cpu_ms, rows=0)
    if input_tokens or output_tokens:
        cost += llm_cost(
            rates.of(model),
            input_tokens=input_tokens,
            cached_tokens=min(cached_tokens, input_tokens),
            output_tokens=output_tokens,
            requests=1,
        )
    return nano(cost)


def fresh_rates(day: date) -> Rates:
    """Return the day's rates, read again when they are older than RATES_FRESH_S.

    While PostgreSQL is away the last ones known stand in, an earlier day's too: better than counting nothing.
    Raises what the database raises, or TimeoutError, where none were ever known.
    """
    known = _rates.get(day)
    if known and time.monotonic() - known[0] <= RATES_FRESH_S:
        return known[1]
    try:
        rates = apart.result(lambda: rates_on(day))
    except (Error, TimeoutError):
        if not _rates:
            raise
        rates = next(iter(_rates.values()))[1]
    _rates.clear()
    _rates[day] = (time.monotonic(), rates)
    return rates
