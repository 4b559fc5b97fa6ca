"""The dead man's switch: once an hour a sign of life goes the way of every alert, so that silence is news."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from systemstatus.models import Notification
from systemstatus.notify import channels, outbox, words


def beat(now: datetime) -> bool:
    """Write this hour's sign of life unless it is written; says whether it was."""
    names = [name for name in channels.configured() if name in settings.ALERT_WATCHDOG_CHANNELS]
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if (
        not names
        or Notification.objects.filter(message_id=f"msg_watchdog_{hour:%Y%m%d%H}_{names[0]}").exists()
    ):
        return False
    content = {
        "type": "watchdog",
        "timestamp": words.iso(now),
        "data": {
            "title": "Alerts are evaluated and sent",
            "text": "A sign of life, sent every hour. When it stays away, nobody would be told of an alert.",
            "next_at": words.iso(hour + timedelta(hours=1)),
        },
    }
    outbox.queue(
        Notification.Kind.WATCHDOG, names, due=now, now=now, body=content, stem=f"watchdog_{hour:%Y%m%d%H}"
    )
    return True
