"""Whose an attempt is, by all who may say so."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from telemetry.celery_events import plans, telemetry_context
from telemetry.models import JobEvent
from tests.telemetry.celery_events import app as shop
from tests.telemetry.shipped import shipped

pytestmark = pytest.mark.usefixtures("recording", "eager", "fresh_plans")

RESOLVER = "tests.telemetry.celery_events.app.owner"


@pytest.fixture
def eager() -> Iterator[None]:
    """Run what is published at once, in this process."""
    shop.app.conf.task_always_eager = True
    yield
    shop.app.conf.task_always_eager = False


@pytest.fixture
def fresh_plans() -> Iterator[None]:
    """Read the settings again, as another process would."""
    plans.made.clear()
    yield
    plans.made.clear()


def headers(**owner: Any) -> dict[str, Any]:
    return {"telemetry": owner}


def owners() -> list[tuple[str, str, str]]:
    return list(shipped(JobEvent).order_by("started_at").values_list("user_id", "tier", "domain"))


def test_without_a_word_it_is_the_systems_and_of_the_modules_domain() -> None:
    shop.add.delay(1, 2)
    assert owners() == [("system", "system", "app")]


def test_the_task_itself_may_say_it() -> None:
    shop.labelled.delay()
    assert owners() == [("system", "internal", "warehouse")]


def test_headers_say_it() -> None:
    shop.add.apply_async((1, 2), headers=headers(user_id="u1", tier="pro", domain="orders"))
    shop.add.apply_async((1, 2), headers=headers(user_id="u2"))
    assert owners() == [("u1", "pro", "orders"), ("u2", "system", "app")]


def test_a_context_says_it_for_all_that_its_block_publishes() -> None:
    with telemetry_context(user_id="u1", tier="pro"):
        shop.add.delay(1, 2)
        with telemetry_context(domain="orders"):
            shop.add.delay(1, 2)
            shop.add.apply_async((1, 2), headers=headers(user_id="u3"))
    shop.add.delay(1, 2)
    assert owners() == [
        ("u1", "pro", "app"),
        ("u1", "pro", "orders"),
        ("u3", "pro", "orders"),
        ("system", "system", "app"),
    ]


def test_a_task_hands_its_owner_on_to_the_tasks_it_publishes() -> None:
    with telemetry_context(user_id="u1", tier="pro", domain="orders"):
        shop.order.delay("u1")
    shop.add.delay(1, 2)
    assert owners() == [("u1", "pro", "orders")] * 2 + [("system", "system", "app")]


def test_a_resolver_says_it_by_the_arguments(settings: Settings) -> None:
    settings.TELEMETRY_TASK_RESOLVER = RESOLVER
    shop.bill.delay(user_id="u5")
    shop.bill.apply_async(kwargs={"user_id": "u5"}, headers=headers(user_id="u6"))
    assert owners() == [("u5", "system", "app"), ("u6", "system", "app")]


def test_another_users_task_inherits_nothing(settings: Settings) -> None:
    settings.TELEMETRY_TASK_RESOLVER = RESOLVER
    with telemetry_context(user_id="u1", tier="pro"):
        shop.bill_another.delay()
    assert owners() == [("u1", "pro", "app"), ("u5", "system", "app")]


def test_a_resolver_that_fails_costs_the_owner_not_the_event(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TELEMETRY_TASK_RESOLVER = RESOLVER
    shop.bill.delay(user_id="fault")
    assert owners() == [("system", "system", "app")]
    assert "TELEMETRY_TASK_RESOLVER failed" in caplog.text


@pytest.mark.parametrize("garbage", [7, "u1", [], {"queued_at": "soon"}, {"from_parent": 3}])
def test_garbage_in_the_header_is_as_if_it_were_not_there(garbage: Any) -> None:
    shop.add.apply_async((1, 2), headers={"telemetry": garbage})
    assert owners() == [("system", "system", "app")]


def test_tasks_may_be_left_out_by_attribute_and_by_name(settings: Settings) -> None:
    settings.TELEMETRY_SKIPPED_TASKS = ["*.add", "shop.*"]
    for task in (shop.unseen, shop.long_name, shop.ignore):
        task.delay()
    shop.add.delay(1, 2)
    assert [event.job_type.partition("~")[0] for event in shipped(JobEvent).all()] == [
        shop.ignore.name[:40].partition("~")[0]
    ]
