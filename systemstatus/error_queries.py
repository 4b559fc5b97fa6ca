"""What pages and alerts read of groups of exceptions."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from healthpilot.web.pages import Cursor, Page, keyset_page
from systemstatus.findings import Finding, Level
from systemstatus.models import ErrorGroup, ErrorHour
from telemetry.errors import THE_REST

# A new group is an alert for so long; by then it was told, and either it goes on or it does not.
NEW_FOR: Final = timedelta(hours=1)
MOST_NEW: Final = 20


def groups(*, limit: int, cursor: str | None = None, state: str = "open") -> Page[ErrorGroup]:
    """Return a page of groups of a state, those that occurred last first; raises CursorError."""
    wanted = ErrorGroup.objects.filter(state=state)

    def fetch(start: Cursor | None, most: int) -> Sequence[ErrorGroup]:
        return list(beside(wanted, start)[:most])

    return keyset_page(
        fetch,
        lambda group: (group.last_at.isoformat(), group.fingerprint),
        scope=f"errors:{state}",
        cursor=cursor,
        limit=limit,
    )


def beside(found: "QuerySet[ErrorGroup]", start: Cursor | None) -> "QuerySet[ErrorGroup]":
    """Return the groups after a cursor, or before it in reverse order."""
    if start is None:
        return found.order_by("-last_at", "fingerprint")
    at, fingerprint = datetime.fromisoformat(start.key[0]), start.key[1]
    if start.backwards:
        before = Q(last_at__gt=at) | Q(last_at=at, fingerprint__lt=fingerprint)
        return found.filter(before).order_by("last_at", "-fingerprint")
    after = Q(last_at__lt=at) | Q(last_at=at, fingerprint__gt=fingerprint)
    return found.filter(after).order_by("-last_at", "fingerprint")


def sparklines(fingerprints: Iterable[str], at: datetime, *, hours: int = 24) -> dict[str, list[int]]:
    """Return how often each group occurred in each of the last hours, the oldest first; one query."""
    last = at.replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=hours - 1)
    names = list(fingerprints)
    counts = {name: [0] * hours for name in names}
    rows = ErrorHour.objects.filter(fingerprint__in=names, hour__gte=first, hour__lte=last)
    for name, hour, count in rows.values_list("fingerprint", "hour", "count"):
        counts[name][int((hour - first).total_seconds() // 3600)] = count
    return counts


def new_groups(now: datetime) -> Iterator[Finding]:
    """Yield a warning for each group that is new or came back within the hour, and that nobody saw to."""
    told = ErrorGroup.objects.filter(state="open", opened_at__gt=now - NEW_FOR).exclude(muted_until__gt=now)
    for group in told.exclude(pk=THE_REST).order_by("-opened_at")[:MOST_NEW]:
        said = f"{group.type} at {group.place}: {group.message}"
        yield Finding(
            "api.new_error", "web", f"{group.type} {group.fingerprint[:8]}", Level.WARNING, group.count, said,
            "times", breach_cycles=1, since=group.opened_at,
        )  # fmt: skip
