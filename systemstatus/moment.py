"""The minute that a page of System Status shows: the newest one, or a past one that `?at=` names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.functional import SimpleLazyObject

from systemstatus import queries
from systemstatus.grains import GRAINS, MINUTES, Grain
from systemstatus.models import Alert, Seen
from systemstatus.thresholds import BY_ID

FORMATS: Final = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S")
OLD_AFTER_S: Final = BY_ID["collector.age"].warning
GONE_AFTER_S: Final = BY_ID["collector.age"].critical


@dataclass(frozen=True)
class Moment:
    """What is known of one minute; read once a request, and every tab draws on it.

    Attributes:
        now: the server's time. at: the instant that is shown; now, unless a past minute was asked for.
        is_past: whether it was. grain: the table of snapshots that it lies in.
        newest: when the snapshots that are shown were captured; None where there are none up to then.
        rows: those snapshots by module, without their detail; read when they are first looked at.
        judged_at: when alerts were evaluated for the last time of all; None where they never were.
        changed: the newest entry of the audit trail.
        recent: the alerts that had fired by then and were open in the 24 hours before.
        problem: why what `?at=` asked for cannot be shown, in a sentence; the page then shows now.
    """

    now: datetime
    at: datetime
    is_past: bool = False
    grain: Grain = MINUTES
    newest: datetime | None = None
    rows: Mapping[str, Seen] = field(default_factory=dict)
    recent: tuple[Alert, ...] = ()
    problem: str = ""
    judged_at: datetime | None = None
    changed: int | None = None

    @cached_property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts that had fired and were open at the instant, the worst and newest first."""
        return tuple(alert for alert in self.recent if queries.was_open(alert, self.at))

    @property
    def age_s(self) -> float | None:
        """How old the snapshots are at the instant that is shown, in seconds."""
        return (self.at - self.newest).total_seconds() if self.newest else None

    @property
    def unjudged_s(self) -> float | None:
        """For how long alerts have not been evaluated, in seconds; 0 for a past minute, None if never."""
        if self.is_past:
            return 0.0
        return (self.now - self.judged_at).total_seconds() if self.judged_at else None

    @property
    def is_old(self) -> bool:
        """No snapshot came for longer than a warning allows; of a coarse grain, none for its span."""
        return self.age_s is None or self.age_s > self.allowed_s(OLD_AFTER_S)

    @property
    def is_gone(self) -> bool:
        """No snapshot came for so long that what they say counts as unknown."""
        return self.age_s is None or self.age_s > self.allowed_s(GONE_AFTER_S)

    def allowed_s(self, limit_s: float) -> float:
        return max(limit_s, self.grain.minutes * 60.0 if self.grain.minutes > 1 else 0)

    @property
    def query(self) -> str:
        """What keeps a link in the same minute: '?at=…', or nothing while now is shown."""
        return f"?{urlencode({'at': f'{self.at:%Y-%m-%dT%H:%M}'})}" if self.is_past else ""


def moment_of(asked: str | None, now: datetime) -> Moment:
    """Return the moment that a page shows.

    Args:
        asked: a UTC minute such as 2026-11-30T14:02, as `?at=` gives it; empty or None for now.
        now: the server's time.
    """
    at, problem = understood((asked or "").strip(), now)
    grain = grain_at(at, now)
    is_past = at != now
    known = queries.known_at(grain, at, is_past=is_past)
    newest, judged_at = known.newest, known.judged_at if known.newest else None
    rows: Any = SimpleLazyObject(lambda: queries.rows_at(grain, newest))
    return Moment(now, at, is_past, grain, newest, rows, tuple(known.told), problem, judged_at, known.changed)


def understood(asked: str, now: datetime) -> tuple[datetime, str]:
    """Return the instant that was asked for, or now and why not."""
    if not asked:
        return now, ""
    at = parsed(asked)
    if at is None:
        return now, f"“{asked[:40]}” is no minute. Write it in UTC, as {now:%Y-%m-%dT%H:%M}"
    if at > now:
        return now, f"{at:%Y-%m-%d %H:%M} UTC has not come yet"
    if at < now - GRAINS[-1].kept:
        return now, f"Snapshots are kept for {GRAINS[-1].kept.days} days; {at:%Y-%m-%d} lies before that"
    return at, ""


def parsed(asked: str) -> datetime | None:
    """Return a UTC minute from its text; None where it is none."""
    plain = asked.removesuffix("UTC").strip().removesuffix("Z")
    for form in FORMATS:
        try:
            return datetime.strptime(plain, form).replace(second=0, tzinfo=UTC)
        except ValueError:
            continue
    return None


def grain_at(at: datetime, now: datetime) -> Grain:
    """Return the finest grain that still holds an instant, an hour before it is dropped."""
    spare = timedelta(hours=1)
    return next((grain for grain in GRAINS if now - at <= grain.kept - spare), GRAINS[-1])
