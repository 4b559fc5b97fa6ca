"""Who is told what, when, and again: from findings to a receiver that verifies the signature."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection

from systemstatus.models import Alert, Notification, Silence
from systemstatus.notify import channels, retention, sender, watchdog
from systemstatus.notify.channels import Channel, Message
from tests.receiver import Receiver
from tests.systemstatus.alerts.cycles import MINUTE, Clock, finding

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def fired(clock: Clock, **facts: Any) -> None:
    clock.cycles("critical", "critical", **facts)


def told(receiver: Receiver) -> list[tuple[str, int]]:
    """Return each message's type and how many alerts it tells of."""
    return [(body["type"], len(body["data"]["alerts"])) for body in receiver.bodies]


def test_an_alert_is_told_once_after_the_group_wait_and_again_when_it_is_over(receiver: Receiver) -> None:
    clock = Clock()
    fired(clock)
    assert sender.send_due(clock.now + 29 * SECOND).sent == 0
    assert sender.send_due(clock.now + 30 * SECOND).sent == 1
    clock.cycles("critical", "ok", "ok")
    assert sender.send_due(clock.now + MINUTE).sent == 0
    assert sender.send_due(clock.now + 5 * MINUTE).sent == 1
    assert told(receiver) == [("alert.firing", 1), ("alert.resolved", 1)]
    assert receiver.errors == []
    assert receiver.bodies[0]["data"]["alerts"][0]["message"] == "It is critical."


def test_what_fires_together_is_one_message(receiver: Receiver) -> None:
    clock = Clock()
    for _ in range(2):
        clock.cycle(finding(target=f"t{n}") for n in range(60))
    sender.send_due(clock.now + MINUTE)
    assert told(receiver) == [("alert.firing", 50)]
    assert receiver.bodies[0]["data"]["more"] == 10


def test_what_fires_within_five_minutes_of_a_message_joins_the_next_one(receiver: Receiver) -> None:
    clock = Clock()
    for targets in ("a", "a", "ab", "abc", "abc"):
        clock.cycle(*(finding(target=target) for target in targets))
        sender.send_due(clock.now + 30 * SECOND)
    assert told(receiver) == [("alert.firing", 1)]
    sender.send_due(clock.now + 5 * MINUTE)
    assert told(receiver) == [("alert.firing", 1), ("alert.firing", 2)]
    assert Notification.objects.count() == 2


def test_what_is_new_does_not_go_as_a_reminder(receiver: Receiver) -> None:
    clock = Clock()
    for _ in range(2):
        clock.cycle(finding(target="a"))
    sender.send_due(clock.now + MINUTE)
    clock.now += timedelta(hours=4)
    for _ in range(2):
        clock.cycle(finding(target="a"), finding(target="b"))
    sender.send_due(clock.now + 10 * MINUTE)
    assert told(receiver) == [("alert.firing", 1), ("alert.reminder", 1), ("alert.firing", 1)]


def test_escalation_is_told_and_a_reminder_after_four_hours_unless_acknowledged(receiver: Receiver) -> None:
    clock = Clock()
    clock.cycles(*["warning"] * 5)
    sender.send_due(clock.now + MINUTE)
    clock.cycles("critical", "critical")
    sender.send_due(clock.now + 6 * MINUTE)
    clock.now += timedelta(hours=4)
    clock.cycles("critical")
    sender.send_due(clock.now + MINUTE)
    Alert.objects.update(acknowledged_by="ann", acknowledged_at=clock.now)
    clock.now += timedelta(hours=5)
    clock.cycles("critical")
    sender.send_due(clock.now + MINUTE)
    assert [kind for kind, _ in told(receiver)] == ["alert.firing", "alert.firing", "alert.reminder"]


def test_a_failing_parent_mutes_its_children_until_they_fail_alone(receiver: Receiver) -> None:
    clock = Clock()
    child: dict[str, Any] = {"rule": "queue.oldest", "module": "dataqueue"}
    for _ in range(2):
        clock.cycle(finding(), finding(caused_by="postgres", **child))
    sender.send_due(clock.now + MINUTE)
    assert [body["data"]["module"] for body in receiver.bodies] == ["postgres"]
    for _ in range(2):
        clock.cycle(finding("ok"), finding(**child))
    sender.send_due(clock.now + 10 * MINUTE)
    assert {body["data"]["module"] for body in receiver.bodies} == {"postgres", "dataqueue"}


def test_what_is_silenced_is_told_when_the_silence_ends(receiver: Receiver) -> None:
    clock = Clock()
    Silence.objects.create(
        rule="db.*", author="ann", reason="known", starts_at=clock.now, ends_at=clock.now + 10 * MINUTE
    )
    fired(clock)
    assert not Notification.objects.exists()
    assert Alert.objects.get().state == "firing"
    clock.now += 10 * MINUTE
    clock.cycles("critical")
    assert sender.send_due(clock.now + MINUTE).sent == 1


def test_what_was_told_is_told_to_be_over_though_it_is_silenced_by_then(receiver: Receiver) -> None:
    clock = Clock()
    fired(clock)
    sender.send_due(clock.now + MINUTE)
    Silence.objects.create(
        rule="db.*", author="ann", reason="known", starts_at=clock.now, ends_at=clock.now + 99 * MINUTE
    )
    clock.cycles("critical", "ok", "ok")
    sender.send_due(clock.now + 5 * MINUTE)
    assert told(receiver) == [("alert.firing", 1), ("alert.resolved", 1)]


def test_a_failed_delivery_is_tried_again_later_with_the_same_id_and_body(receiver: Receiver) -> None:
    receiver.answers = ["500", "redirect", "200"]
    clock = Clock()
    fired(clock)
    due = clock.now + MINUTE
    assert sender.send_due(due).failed == ["webhook"]
    assert "answered 500" in Notification.objects.get().error
    assert sender.send_due(due + SECOND).sent == 0
    sender.send_due(due + MINUTE)
    assert "redirect" in Notification.objects.get().error
    assert sender.send_due(due + 10 * MINUTE).sent == 1
    assert len(set(receiver.ids)) == 1
    assert receiver.bodies[0] == receiver.bodies[2]


def test_a_sender_whose_claim_ran_out_marks_nothing(receiver: Receiver) -> None:
    clock = Clock()
    fired(clock)
    due = clock.now + timedelta(hours=1)
    late = sender.claim(due, without=[])
    assert late
    assert sender.claim(due + sender.CLAIM + MINUTE, without=[])
    sender.mark(late, state=Notification.State.GIVEN_UP)
    assert Notification.objects.get(pk=late.pk).state == Notification.State.WAITING


def test_a_channel_that_failed_is_left_alone_for_the_rest_of_the_turn(receiver: Receiver) -> None:
    receiver.answers = ["500"]
    clock = Clock()
    for _ in range(2):
        clock.cycle(finding(module=f"m{n}") for n in range(3))
    sender.send_due(clock.now + MINUTE)
    assert len(receiver.ids) == 1


def test_what_is_over_for_ninety_days_is_deleted_and_what_is_open_stays(receiver: Receiver) -> None:
    clock = Clock()
    for level in ("critical", "critical", "ok", "ok"):
        clock.cycle(finding(level), finding(target="stays"))
    later = clock.now + timedelta(days=90)
    assert retention.prune(later) == 0
    assert retention.prune(later + MINUTE) == 1
    assert [alert.target for alert in Alert.objects.all()] == ["stays"]
    assert Notification.objects.filter(state="waiting").exists()


def test_a_message_that_fails_for_three_days_is_given_up_and_says_why(receiver: Receiver) -> None:
    receiver.answers = ["500"]
    clock = Clock()
    fired(clock)
    sender.send_due(clock.now + MINUTE)
    turn = sender.send_due(clock.now + timedelta(days=3, minutes=5))
    row = Notification.objects.get()
    assert (turn.given_up, row.state, row.attempts) == (1, "given_up", 2)


def test_waits_double_up_to_six_hours() -> None:
    assert 15 <= sender.wait_s(1) <= 30
    assert all(10800 <= sender.wait_s(n) <= 21600 for n in (12, 100, 10_000))


def test_one_channel_that_hangs_neither_blocks_the_turn_nor_the_other_channel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    came: list[str] = []
    let_go = threading.Event()

    def hang(message: Message) -> str:
        let_go.wait(20)
        return ""

    def good(message: Message) -> str:
        came.append(message.id)
        return "taken"

    ways = {"slow": Channel("slow", "Slow", hang), "good": Channel("good", "Good", good)}
    monkeypatch.setattr(channels, "configured", lambda: ways)
    monkeypatch.setattr(channels.deliver, "__kwdefaults__", {"limit_s": 0.2})
    clock = Clock()
    fired(clock)
    turn = sender.send_due(clock.now + MINUTE)
    let_go.set()
    assert (turn.sent, turn.failed, len(came)) == (1, ["slow"], 1)
    assert "no answer within 0.2 s" in Notification.objects.get(channel="slow").error


@pytest.mark.django_db(transaction=True)
def test_senders_side_by_side_send_each_message_once(receiver: Receiver) -> None:
    clock = Clock()
    for _ in range(2):
        clock.cycle(finding(module=f"m{n}") for n in range(12))
    due = clock.now + MINUTE

    def run() -> None:
        try:
            sender.send_due(due)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.ids) == len(set(receiver.ids)) == 12


def test_a_clock_that_was_set_back_delays_no_message(receiver: Receiver) -> None:
    clock = Clock()
    fired(clock)
    assert sender.send_due(clock.now - timedelta(hours=2)).sent == 1


def test_a_sign_of_life_goes_the_same_way_once_an_hour(receiver: Receiver) -> None:
    now = Clock().now
    assert [watchdog.beat(now + n * MINUTE) for n in (0, 1, 60)] == [True, False, True]
    sender.send_due(now + timedelta(hours=1, minutes=1))
    assert [body["type"] for body in receiver.bodies] == ["watchdog", "watchdog"]


def test_an_email_says_it_in_words_and_carries_the_id(settings: Any) -> None:
    settings.ALERT_EMAIL_TO = ["ops@example.com", "ann@example.com"]
    clock = Clock()
    fired(clock, target="a\r\nBcc: evil@example.com")
    assert sender.send_due(clock.now + MINUTE).sent == 1
    (sent,) = mail.outbox
    assert sent.subject == "[HealthPilot] CRITICAL: It is critical. (a Bcc: evil@example.com)"
    assert "db.connections" in sent.body
    assert sent.extra_headers["X-HealthPilot-Message"] == Notification.objects.get().message_id


def test_apprise_addresses_of_other_schemes_are_refused_without_showing_them(settings: Any) -> None:
    settings.ALERT_APPRISE_URLS = ["json://localhost/s3cret"]
    clock = Clock()
    fired(clock)
    assert sender.send_due(clock.now + MINUTE).failed == ["apprise"]
    error = Notification.objects.get().error
    assert "'json' is not in ALERT_APPRISE_SCHEMES" in error
    assert "s3cret" not in error


def test_apprise_delivers_to_what_is_allowed(settings: Any, receiver: Receiver) -> None:
    settings.ALERT_WEBHOOK_URL = ""
    settings.ALERT_APPRISE_SCHEMES = ["json"]
    settings.ALERT_APPRISE_URLS = [receiver.url.replace("http://", "json://")]
    clock = Clock()
    fired(clock)
    assert sender.send_due(clock.now + MINUTE).sent == 1
    assert len(receiver.errors) == 1  # it came, and is not signed


def test_apprise_asks_no_private_address_unless_that_is_allowed(settings: Any, receiver: Receiver) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_ALLOW_PRIVATE = "", False
    settings.ALERT_APPRISE_SCHEMES = ["json"]
    settings.ALERT_APPRISE_URLS = [receiver.url.replace("http://127.0.0.1", "json://localhost")]
    clock = Clock()
    fired(clock)
    assert sender.send_due(clock.now + MINUTE).failed == ["apprise"]
    assert "is this machine; ALERT_ALLOW_PRIVATE=1 allows" in Notification.objects.get().error
    assert (receiver.ids, receiver.errors) == ([], []), "nothing came"


@pytest.mark.parametrize("private", [True, False])
def test_brevo_asks_no_private_address_unless_that_is_allowed(
    settings: Any, receiver: Receiver, private: bool
) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_ALLOW_PRIVATE = "", private
    settings.ALERT_EMAIL_TO = ["ops@example.com"]
    settings.EMAIL_BACKEND = "anymail.backends.brevo.EmailBackend"
    settings.ANYMAIL = {"BREVO_API_KEY": "k", "BREVO_API_URL": f"{receiver.url}/v3/"}
    receiver.answers[:] = ["201"]
    clock = Clock()
    fired(clock)
    turn = sender.send_due(clock.now + MINUTE)
    if private:
        assert len(receiver.errors) == 1  # it came, and is not signed
    else:
        assert (turn.failed, receiver.errors) == (["email"], []), "nothing came"
        assert "is this machine; ALERT_ALLOW_PRIVATE=1 allows" in Notification.objects.get().error


def test_without_a_channel_alerts_show_and_are_told_once_there_is_one(settings: Any) -> None:
    clock = Clock()
    fired(clock)
    assert (Notification.objects.count(), Alert.objects.get().state) == (0, "firing")
    settings.ALERT_EMAIL_TO = ["ops@example.com"]
    clock.cycles("critical")
    assert Notification.objects.count() == 1
