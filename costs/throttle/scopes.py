"""The scopes whose budgets apply to a piece of work, and how much of a cap each tier may use."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.conf import settings

GLOBAL: Final = "global"
TIER: Final = "tier"
DOMAIN: Final = "domain"
USER: Final = "user"
KINDS: Final = (GLOBAL, TIER, DOMAIN, USER)
EACH_USER: Final = "*"
WHOLE: Final = 100


class Scope(NamedTuple):
    """What a budget is for: everything, a tier, a domain or a user."""

    kind: str
    key: str = ""

    @property
    def name(self) -> str:
        """The scope as one text, as counters are named."""
        return f"{self.kind}:{self.key}"

    def __str__(self) -> str:
        return "everything" if self.kind == GLOBAL else f"{self.kind} {self.key}"


def applying(*, tier: str, domain: str, user_id: str | None) -> list[tuple[Scope, int]]:
    """Return the scopes that bind a piece of work, each with the percent of its caps that this tier may use.

    Caps of everything and of a domain are shed tier by tier, those of a tier or a user hold in full.
    """
    share = shed_percent(tier, settings.TIERS)
    found = [(Scope(GLOBAL), share), (Scope(TIER, tier), WHOLE), (Scope(DOMAIN, domain), share)]
    return [*found, (Scope(USER, user_id), WHOLE)] if user_id else found


def percent_of(scope: Scope, tier: str) -> int:
    """Return the percent of a scope's caps that a tier may use."""
    return shed_percent(tier, settings.TIERS) if scope.kind in {GLOBAL, DOMAIN} else WHOLE


def shed_percent(tier: str, tiers: Sequence[str]) -> int:
    """Return the percent of a shared cap at which a tier's work stops: 80, 90 and 100 for three tiers.

    The last tier may use all of it, the first 80 %, those between lie evenly; an unknown tier goes first.
    """
    if len(tiers) < 2:
        return WHOLE
    place = tiers.index(tier) if tier in tiers else 0
    return 80 + 20 * place // (len(tiers) - 1)
