"""What pages read of alerts: open ones with their causes, history, messages, what is kept quiet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Min, Q, QuerySet, Value
from django.db.models.fields.json import KT

from healthpilot.web.pages import Cursor, Page, clamped, keyset_page
from systemstatus.alerts.life import RANK
from systemstatus.alerts.quiet import Hush, in_force
from systemstatus.models import Alert, AlertTransition, Maintenance, Notification, Quiet, Silence
from systemstatus.notify import channels

MOST_OPEN: Final = 200


@dataclass(frozen=True)
class OpenAlert:
    """An open alert; muted: why it is kept quiet, in words; children: those that it explains."""

    alert: Alert
    muted: str = ""
    children: "list[OpenAlert]" = field(default_factory=list)

    @property
    def family(self) -> "Iterator[OpenAlert]":
        """Yield it and those below it."""
        yield self
        for child in self.children:
            yield from child.family


def open_alerts(now: datetime, *, with_pending: bool = True) -> list[OpenAlert]:
    """Return up to 200 open alerts, the worst and newest first, those that another explains below it."""
    found = Alert.objects.filter(closed_at=None)
    if not with_pending:
        found = found.exclude(fired_at=None)
    rows = list(found.order_by("-began_at")[:MOST_OPEN])
    return tree(rows, in_force(now, rows))


def pending(at: datetime, **wanted: str) -> list[Alert]:
    """Return up to 200 alerts that had not fired at a time, the newest first; wanted: module, severity."""
    not_yet = Q(fired_at=None) | Q(fired_at__gt=at)
    not_over = Q(closed_at=None) | Q(closed_at__gt=at)
    rows = Alert.objects.filter(not_yet, not_over, began_at__lte=at, **given(wanted))
    return list(rows.order_by("-began_at", "-id")[:MOST_OPEN])


def tree(rows: Iterable[Alert], hush: Hush) -> list[OpenAlert]:
    """Return alerts the worst and newest first, those that another explains below it."""
    lines = sorted(
        (OpenAlert(row, hush.reason(row)) for row in rows),
        key=lambda line: (line.alert.fired_at is None, -RANK[line.alert.severity], -line.alert.pk),
    )
    parents: dict[str, OpenAlert] = {}
    for line in lines:
        if not line.alert.caused_by:
            parents.setdefault(line.alert.module, line)
    return [line for line in lines if not placed(line, parents)]


def placed(line: OpenAlert, parents: Mapping[str, OpenAlert]) -> bool:
    """Put an alert below the one that explains it; says whether there is one."""
    parent = parents.get(line.alert.caused_by)
    if parent is None or parent is line:
        return False
    parent.children.append(line)
    return True


def open_counts() -> dict[str, int]:
    """Return how many alerts have fired and are open, by severity; one query, for every page."""
    severities = (
        Alert.objects.filter(closed_at=None).exclude(fired_at=None).values_list("severity", flat=True)
    )
    found = {"critical": 0, "warning": 0, "info": 0}
    for severity in severities[:10_000]:
        found[severity] += 1
    return found


def history(
    *, cursor: str | None, limit: int | None = None, until: datetime | None = None, **wanted: str
) -> Page[Alert]:
    """Return alerts that fired, those that began last first; raises CursorError.

    Args:
        until: only those that were over by then. wanted: module, severity.
    """
    rows = Alert.objects.exclude(fired_at=None).filter(**given(wanted))
    if until:
        rows = rows.filter(closed_at__lte=until)
    return newest_first(rows, "began_at", scope=f"alerts:{named(wanted, until)}", cursor=cursor, limit=limit)


def timeline(
    *,
    cursor: str | None,
    limit: int | None = None,
    alert_id: int | None = None,
    until: datetime | None = None,
    **wanted: str,
) -> Page[AlertTransition]:
    """Return steps of all alerts or of one, the newest first, each with its alert; raises CursorError.

    Args:
        until: only those up to then. wanted: module, severity.
    """
    places = {"module": "alert__module", "severity": "severity"}
    rows = AlertTransition.objects.select_related("alert").filter(
        **{places[name]: value for name, value in given(wanted).items()}
    )
    if alert_id is not None:
        rows = rows.filter(alert_id=alert_id)
    if until:
        rows = rows.filter(occurred_at__lte=until)
    scope = f"alert-steps:{alert_id}:{named(wanted, until)}"
    return newest_first(rows, "occurred_at", scope=scope, cursor=cursor, limit=limit)


def notifications(
    *, cursor: str | None, limit: int | None = None, until: datetime | None = None, **wanted: str
) -> Page[Notification]:
    """Return messages with their title alone, the newest first; raises CursorError.

    Args:
        until: only those written by then. wanted: state, channel, group.
    """
    rows = Notification.objects.defer("body").annotate(title=KT("body__data__title")).filter(**given(wanted))
    if until:
        rows = rows.filter(created_at__lte=until)
    scope = f"alert-messages:{named(wanted, until)}"
    return newest_first(rows, "created_at", scope=scope, cursor=cursor, limit=limit)


def given(wanted: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if value}


def named(wanted: Mapping[str, str], until: datetime | None) -> str:
    """Return a list's name for its cursors: its filter and where it ends."""
    return ":".join([*(f"{name}={value}" for name, value in sorted(given(wanted).items())), f"{until or ''}"])


def newest_first(
    rows: "QuerySet[Any]", moment: str, *, scope: str, cursor: str | None, limit: int | None
) -> Page[Any]:
    """Return one page of rows by a time and their id."""

    def fetch(start: Cursor | None, most: int) -> Sequence[Any]:
        if start is None:
            return list(rows.order_by(f"-{moment}", "-id")[:most])
        at, key = start.key
        way = "gt" if start.backwards else "lt"
        beside = Q(**{f"{moment}__{way}": at}) | Q(**{moment: at, f"id__{way}": key})
        order = (moment, "id") if start.backwards else (f"-{moment}", "-id")
        return list(rows.filter(beside).order_by(*order)[:most])

    return keyset_page(
        fetch,
        lambda row: (getattr(row, moment).isoformat(), str(row.pk)),
        scope=scope,
        cursor=cursor,
        limit=clamped(limit),
    )


def silences(now: datetime) -> list[Silence]:
    """Return the silences in force, those that end first before the others."""
    return list(Silence.objects.filter(ends_at__gt=now).order_by("ends_at")[:MOST_OPEN])


def maintenance(now: datetime) -> list[Maintenance]:
    """Return the maintenance windows in force and to come."""
    return list(Maintenance.objects.filter(ends_at__gt=now).order_by("starts_at")[:MOST_OPEN])


QUIET_FIELDS: Final = ("id", "rule", "module", "target", "author", "reason", "starts_at", "ends_at")


def kept_quiet(at: datetime) -> tuple[list[Silence], list[Maintenance]]:
    """Return what is not over at a time: silences, and windows in force and to come; one query."""
    fields = ("kind", *QUIET_FIELDS)
    parts = [
        model._default_manager.filter(ends_at__gt=at).annotate(kind=Value(kind)).values_list(*fields)
        for kind, model in (("silence", Silence), ("maintenance", Maintenance))
    ]
    found = [
        (kind, dict(zip(QUIET_FIELDS, row, strict=True)))
        for kind, *row in parts[0].union(parts[1], all=True).order_by("ends_at", "id")[: 2 * MOST_OPEN]
    ]
    return (
        [Silence(**row) for kind, row in found if kind == "silence"],
        [Maintenance(**row) for kind, row in found if kind == "maintenance"],
    )


def maintenance_between(since: datetime, until: datetime) -> list[Maintenance]:
    """Return the windows that overlap a span: their time is left out of availability."""
    return list(Maintenance.objects.filter(starts_at__lt=until, ends_at__gt=since)[:MOST_OPEN])


def is_in_force(row: Quiet, now: datetime) -> bool:
    return row.starts_at <= now < row.ends_at


@dataclass(frozen=True)
class ChannelState:
    """A channel and how it did: when it last delivered, what last went wrong, what waits for it."""

    name: str
    title: str
    sent_at: datetime | None
    error: str
    waiting: int


def channel_states() -> list[ChannelState]:
    """Return every configured channel with how it did lately."""
    return [channel_state(channel.name, channel.title) for channel in channels.configured().values()]


def channel_state(name: str, title: str) -> ChannelState:
    rows = Notification.objects.filter(channel=name)
    sent = (
        rows.filter(state=Notification.State.SENT).order_by("-id").values_list("sent_at", flat=True).first()
    )
    waiting = rows.filter(state=Notification.State.WAITING)
    error = waiting.exclude(error="").order_by("-id").values_list("error", flat=True).first()
    return ChannelState(name, title, sent, error or "", waiting.count())


def oldest_unsent_s(now: datetime) -> float:
    """Return for how long the oldest unsent message has been due, in seconds; 0 without any."""
    waiting = Notification.objects.filter(state=Notification.State.WAITING, first_due_at__lte=now)
    oldest: datetime | None = waiting.aggregate(at=Min("first_due_at"))["at"]
    return max(timedelta(), now - oldest).total_seconds() if oldest else 0.0
