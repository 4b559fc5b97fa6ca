"""The few words on every admin page: how everything stands, and how many alerts are open."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.core.cache import cache

from systemstatus.moment import Moment
from systemstatus.standing import UNKNOWN, WORDS, Standing, standings
from systemstatus.verdict import verdict

KEY: Final = "status.widget"
KEPT_S: Final = 45


@dataclass(frozen=True)
class Widget:
    """What the widget shows: a status of badges, and the count of open alerts."""

    status: str = UNKNOWN
    alerts: int = 0

    @property
    def word(self) -> str:
        return WORDS[self.status]


def kept() -> Widget | None:
    """Return what was found within the last 45 seconds, without a query; None where nothing was."""
    found: dict[str, Any] | None = cache.get(KEY)
    return Widget(**found) if found else None


def keep(moment: Moment, found: Sequence[Standing] | None = None) -> Widget:
    """Return what the widget shows of a moment; that of now is kept for every page."""
    ruling = verdict(moment, standings(moment) if found is None else found)
    widget = Widget(ruling.status, len(moment.alerts))
    if not moment.is_past:
        cache.set(KEY, asdict(widget), KEPT_S)
    return widget
