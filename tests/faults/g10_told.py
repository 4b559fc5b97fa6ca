"""G10: senders killed between sending and marking, receivers that fail, hang and drip; each alert arrives."""

import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.faults.processes import Child, wait_until
from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute
from tests.receiver import SECRET, Receiver, receiving

KILLS = {"tiny": 2, "normal": 20, "full": 100}
ALERTS = {"tiny": 6, "normal": 60, "full": 300}
TABLES = ("alert_transitions", "alerts", "alert_notifications", "status_leases")
LATER = timedelta(minutes=10)


def try_it(size: Size) -> str:
    """Kill between send and mark; answer 500, hang, drip; run two senders while some are killed."""
    return "; ".join(
        [killed_after_sending(KILLS[size]), bad_receivers(), all_arrive(ALERTS[size], KILLS[size])]
    )


def told(receiver: Receiver) -> None:
    """Lead the only channel to a receiver, in this process and in those forked from it."""
    from django.conf import settings

    from systemstatus.notify import webhook
    from telemetry.outbound.client import circuits

    circuits.clear()
    webhook.client_for.cache_clear()
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = receiver.url, SECRET
    settings.ALERT_ALLOW_PRIVATE = True
    empty(*TABLES)


def fire(count: int, now: datetime) -> None:
    """Open alerts on parts of their own, so that each is a message; a source tells of 200 parts at most."""
    from systemstatus.alerts.bounds import MOST_RULES
    from systemstatus.alerts.engine import evaluate
    from systemstatus.findings import Finding, Level

    found = [
        Finding("db.connections", f"part{n}", "", Level.CRITICAL, 95, "Nearly full.") for n in range(count)
    ]
    for minute in range(2):
        for first in range(0, count, MOST_RULES):
            some = found[first : first + MOST_RULES]
            evaluate(some, now=now + timedelta(minutes=minute), source=f"faults {first}")
    opened = execute("SELECT count(*) FROM alert_notifications")[0][0]
    assert opened == count, f"{opened} messages of {count} alerts"


def send_and_die(now: datetime) -> None:
    """Send, and be killed before the message is marked."""
    from systemstatus.notify import sender

    def die(*arguments: object, **fields: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    sender.mark = die
    sender.send_due(now)


def send(now: datetime) -> None:
    from systemstatus.notify import sender

    sender.send_due(now)


def has_come(receiver: Receiver, count: int) -> bool:
    return len(set(receiver.ids)) >= count


def unsent() -> int:
    return int(str(execute("SELECT count(*) FROM alert_notifications WHERE state <> 'sent'")[0][0]))


def killed_after_sending(kills: int) -> str:
    """Kill a sender each time after it sent and before it marked: the same id and body come again."""
    now = datetime.now(UTC)
    with receiving() as receiver:
        told(receiver)
        fire(1, now)
        for n in range(1, kills + 1):
            child = Child(partial(send_and_die, now + n * LATER))
            assert child.exit_code() == -signal.SIGKILL
            assert len(receiver.ids) == n, f"{len(receiver.ids)} came after {n} kills"
        assert unsent() == 1
        assert Child(partial(send, now + (kills + 1) * LATER)).exit_code() == 0
        assert (unsent(), len(receiver.ids)) == (0, kills + 1)
        assert len(set(receiver.ids)) == 1, "another id was sent"
        assert all(body == receiver.bodies[0] for body in receiver.bodies), "another body was sent"
        assert not receiver.errors, receiver.errors
    return f"{kills} kills between send and mark: the same id {kills + 1} times"


def bad_receivers() -> str:
    """Let the receiver fail, hang and drip: the sender comes back in time, and the same id arrives."""
    from systemstatus.notify import webhook

    now = datetime.now(UTC)
    webhook.LIMIT_S = 1
    with receiving("500", "hang", "drip", "redirect", "200") as receiver:
        told(receiver)
        fire(1, now)
        slowest = 0.0
        for n in range(1, 6):
            began = time.monotonic()
            assert Child(partial(send, now + n * timedelta(hours=7))).exit_code() == 0
            slowest = max(slowest, time.monotonic() - began)
        assert (unsent(), len(receiver.ids), len(set(receiver.ids))) == (0, 5, 1)
        assert slowest < 5, f"a sender took {slowest:.1f} s"
    return f"500, hang, drip and redirect: arrived at the fifth attempt, no sender busy over {slowest:.1f} s"


def all_arrive(alerts: int, kills: int) -> str:
    """Run senders side by side and kill one again and again; every alert's message arrives."""
    now = datetime.now(UTC)
    with receiving() as receiver:
        told(receiver)
        fire(alerts, now)
        at = now + LATER
        for n in range(kills):
            pair = [Child(partial(send, at)) for _ in range(2)]
            wait_until(partial(has_come, receiver, (n + 1) * alerts // (kills + 1)), "messages")
            for child in pair:
                child.kill()
            at += LATER
        assert Child(partial(send, at)).exit_code() == 0
        wait_until(lambda: unsent() == 0, "the rest")
        parts = Counter(body["data"]["module"] for body in receiver.bodies)
        assert set(parts) == {f"part{n}" for n in range(alerts)}, "an alert was not told"
        assert len(set(receiver.ids)) == alerts, "one message had two ids"
        again = sum(parts.values()) - alerts
    return f"{alerts} alerts with {2 * kills} senders killed at random: all arrived, {again} twice"
