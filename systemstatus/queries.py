"""What the pages of System Status read of snapshots and alerts; no page asks anything else."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, Subquery

from systemstatus.alerts.life import RANK
from systemstatus.grains import Grain
from systemstatus.models import Alert, Seen, Snapshot

MOST_ALERTS: Final = 200


def rows_at(grain: Grain, at: datetime) -> dict[str, Seen]:
    """Return the newest snapshots up to an instant, by module, without their detail; one query."""
    model: Any = grain.model
    newest = model.objects.filter(captured_at__lte=at).order_by("-captured_at").values("captured_at")[:1]
    rows = model.objects.filter(captured_at=Subquery(newest)).defer("detail")
    return {row.module: row for row in rows}


def window(names: Iterable[str], at: datetime, minutes: int, grain: Grain) -> dict[str, list[Seen]]:
    """Return the snapshots of modules within so many minutes before an instant, the newest first; one query.

    Only values, states and times are read.
    """
    model: Any = grain.model
    since = at - timedelta(minutes=max(minutes, grain.minutes))
    rows = model.objects.filter(module__in=list(names), captured_at__gt=since, captured_at__lte=at)
    found: dict[str, list[Seen]] = {}
    for row in rows.only("module", "captured_at", "state", "values").order_by("-captured_at"):
        found.setdefault(row.module, []).append(row)
    return found


def details(names: Sequence[str], at: datetime, grain: Grain) -> dict[str, dict[str, Any]]:
    """Return what tabs list of modules, from the snapshots captured at an instant; one query."""
    model: Any = grain.model
    rows = model.objects.filter(module__in=list(names), captured_at=at)
    return dict(rows.values_list("module", "detail"))


def fired_now() -> list[Alert]:
    """Return up to 200 alerts that have fired and are open, the worst and newest first."""
    return ranked(Alert.objects.filter(closed_at=None, fired_at__isnull=False).order_by("-began_at"))


def fired_at(at: datetime) -> list[Alert]:
    """Return up to 200 alerts that had fired and were open at an instant, the worst and newest first."""
    still = Q(closed_at=None) | Q(closed_at__gt=at)
    return ranked(Alert.objects.filter(still, fired_at__lte=at, began_at__lte=at).order_by("-began_at"))


def ranked(rows: Any) -> list[Alert]:
    return sorted(rows[:MOST_ALERTS], key=lambda alert: -RANK[alert.severity])


def newest_minute() -> datetime | None:
    """Return when the newest snapshots were captured; one query."""
    rows = Snapshot.objects.order_by("-captured_at").values_list("captured_at", flat=True)
    return rows.first()
