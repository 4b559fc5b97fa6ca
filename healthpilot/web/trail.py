"""Tells of changes: floors below the audit trail announce theirs, and who keeps the trail hears of them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

Hearer = Callable[..., object]
hearers: Final[list[Hearer]] = []


def hear(hearer: Hearer) -> None:
    """Have every change told to a function from now on, in the transaction that makes the change."""
    if hearer not in hearers:
        hearers.append(hearer)


def tell(
    *,
    actor: str,
    action: str,
    target: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Say that something was changed; call it within the transaction of the change.

    Args:
        actor: who. action: what was done, as token.issue. target: to what.
        before, after: JSON values, times as strings; never a secret. reason: as given.
    """
    for hearer in hearers:
        hearer(actor=actor, action=action, target=target, before=before, after=after, reason=reason)
