"""Decides what is to be told and writes it as messages, in the transaction that moves the alerts."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from systemstatus.alerts.life import RANK
from systemstatus.alerts.quiet import Hush
from systemstatus.models import Alert, AlertState, AlertTransition, Notification, Severity
from systemstatus.notify import channels

GROUP_WAIT: Final = timedelta(seconds=30)
GROUP_INTERVAL: Final = timedelta(minutes=5)
REPEAT: Final = timedelta(hours=4)
LOUD: Final = {AlertState.FIRING, AlertState.NO_DATA, AlertState.ERROR}
TELLS_ALERTS: Final = (Notification.Kind.ALERT, Notification.Kind.REPEAT)


def write(
    alerts: Iterable[Alert], steps: Sequence[AlertTransition], hush: Hush, now: datetime
) -> list[AlertTransition]:
    """Write the messages that are due, and note in the alerts what is told of them.

    Returns the steps to be stored besides: of alerts that are told of without having changed.
    """
    names = list(channels.configured())
    groups: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        if names and is_due(alert, now) and (is_over(alert) or not hush.reason(alert)):
            groups[alert.caused_by or alert.module].append(alert)
    own: dict[int, list[AlertTransition]] = defaultdict(list)
    for step in steps:
        own[step.alert_id].append(step)
    more = []
    for group, told in groups.items():
        notice = notice_for(group, kind_of(told), names, now)
        more += [step for alert in told for step in link(alert, own[alert.pk], notice, now)]
        for alert in told:
            alert.notified_severity, alert.notified_at = alert.severity, now
    return more


def is_due(alert: Alert, now: datetime) -> bool:
    """Say whether an alert is to be told of: it fires and rose, was told of long ago, or is resolved."""
    if is_over(alert):
        return alert.notified_severity not in {"", Severity.INFO}
    if alert.state not in LOUD or alert.fired_at is None:
        return False
    if RANK[alert.severity] > RANK[alert.notified_severity] or alert.notified_at is None:
        return True
    is_settled = alert.acknowledged_at is not None or alert.severity == Severity.INFO
    return not is_settled and now - alert.notified_at >= REPEAT


def is_over(alert: Alert) -> bool:
    """Say whether it is resolved: nothing keeps that quiet, or who was told of it would wait for ever."""
    return bool(alert.state == AlertState.RESOLVED)


def kind_of(alerts: Sequence[Alert]) -> str:
    """Return whether a message tells news, or reminds of what was told."""
    news = any(is_over(alert) or RANK[alert.severity] > RANK[alert.notified_severity] for alert in alerts)
    return Notification.Kind.ALERT if news else Notification.Kind.REPEAT


def notice_for(group: str, kind: str, names: Sequence[str], now: datetime) -> uuid.UUID:
    """Return the notice that tells of a group: one that still waits for company, or a new one."""
    last = Notification.objects.filter(group=group, kind__in=TELLS_ALERTS).order_by("-id").first()
    is_fitting = last and kind in {last.kind, Notification.Kind.REPEAT}  # news is told as news
    if last and is_fitting and can_join(last):
        return last.notice
    due = now + GROUP_WAIT
    if last and last.created_at <= now:
        due = max(due, last.created_at + GROUP_INTERVAL)
    return queue(kind, names, group=group, due=due, now=now)


def can_join(last: Notification) -> bool:
    """Say whether a notice has not begun to go out on any channel; its rows are held if so."""
    rows = Notification.objects.filter(notice=last.notice)
    waiting = rows.filter(state=Notification.State.WAITING, attempts=0, body__isnull=True)
    return len(waiting.select_for_update(skip_locked=True)) == rows.count()


def queue(
    kind: str,
    names: Iterable[str],
    *,
    due: datetime,
    now: datetime,
    group: str = "",
    body: object = None,
    stem: str = "",
) -> uuid.UUID:
    """Write one message for each channel, with a message id for good; returns the notice they share.

    stem: begins the message ids where one of a kind must not be written twice; who comes second writes none.
    """
    notice = uuid.uuid4()
    Notification.objects.bulk_create(
        (
            Notification(
                message_id=f"msg_{stem or notice.hex}_{name}"[:64],
                notice=notice,
                kind=kind,
                channel=name,
                group=group,
                body=body,
                next_at=due,
                first_due_at=due,
                created_at=now,
            )
            for name in names
        ),
        ignore_conflicts=True,
    )
    return notice


def link(
    alert: Alert, steps: Sequence[AlertTransition], notice: uuid.UUID, now: datetime
) -> list[AlertTransition]:
    """Name the notice in an alert's steps of this cycle; without any, return one that says it was told."""
    for step in steps:
        step.notice = notice
    if steps:
        return []
    return [
        AlertTransition(
            alert=alert,
            occurred_at=now,
            from_state=alert.state,
            to_state=alert.state,
            severity=alert.severity,
            value=alert.value,
            message=alert.message,
            notice=notice,
        )
    ]
