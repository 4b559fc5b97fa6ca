"""A product's own Celery app, as the README says to make one, with a task for every way to end."""

import functools
import logging
import os
import signal
import threading
import time
from typing import Any

import django
from celery import Celery
from celery.exceptions import Ignore, Reject
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthpilot.settings")
django.setup()

from django.conf import settings  # noqa: E402 - after its settings
from django.contrib.auth.models import User  # noqa: E402 - after its settings

from telemetry.celery_events import record_tasks  # noqa: E402 - after its settings
from telemetry.record import record_llm_event  # noqa: E402 - after its settings

PREFIX = os.environ.setdefault("SHOP_PREFIX", f"shop:{os.getpid()}:")

app = Celery("shop", broker=settings.CELERY_BROKER_URL, set_as_current=False)
app.conf.update(
    task_default_queue="shop",
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=float(os.environ.get("SHOP_SOFT_SHUTDOWN_S", "0")),
    broker_transport_options={
        "global_keyprefix": PREFIX,
        "visibility_timeout": float(os.environ.get("SHOP_VISIBILITY_S", "3600")),
    },
)
# Tasks that are shared would turn up in every app of this process, in the project's own as well.
task = functools.partial(app.task, shared=False)
record_tasks()


@worker_init.connect(weak=False)
def keep_the_parent_busy(**details: Any) -> None:
    """Where a test asks for it, hold the locks of logging and recording while children are forked."""
    if os.environ.get("SHOP_BUSY_PARENT"):
        threading.Thread(target=record_for_ever, daemon=True).start()


def record_for_ever() -> None:
    call = {"user_id": "u1", "tier": "pro", "llm_model": "m", "context_type": "busy"}
    while True:
        record_llm_event({**call, "input_tokens": 1, "output_tokens": 1})
        record_llm_event({**call, "input_tokens": -1, "output_tokens": 1})
        logging.getLogger("shop").warning("busy")
        time.sleep(0.001)


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def count_users() -> int:
    return len(User.objects.all())


@task
def fail() -> None:
    raise LookupError("no such order")


@task(bind=True, max_retries=2)
def stumble(self: Any) -> None:
    raise self.retry(exc=ConnectionError("the warehouse does not answer"), countdown=0)


@task(autoretry_for=(TimeoutError,), max_retries=1, default_retry_delay=0)
def stumble_once() -> None:
    raise TimeoutError


@task
def ignore() -> None:
    raise Ignore


@task
def reject() -> None:
    raise Reject("not today", requeue=False)


@task
def leave() -> None:
    raise SystemExit(3)


@task(soft_time_limit=1, time_limit=60)
def too_slow() -> None:
    time.sleep(30)


@task(time_limit=1)
def much_too_slow() -> None:
    time.sleep(30)


@task
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@task(acks_late=True, reject_on_worker_lost=True)
def die_once(mark: str) -> None:
    """Kill the own process the first time, and succeed when delivered again."""
    if not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)


@task
def nap(seconds: float) -> None:
    time.sleep(seconds)


@task(acks_late=True)
def nap_late(seconds: float) -> None:
    time.sleep(seconds)


@task
def order(user_id: str) -> None:
    """Publish another task, which belongs to the same user."""
    add.delay(1, 2)
    record_llm_event(
        {
            "user_id": user_id,
            "tier": "pro",
            "llm_model": "m",
            "context_type": "order",
            "input_tokens": 1,
            "output_tokens": 1,
        }
    )


@task(telemetry=False)
def unseen() -> None:
    pass


@task(telemetry={"domain": "warehouse", "tier": "internal"})
def labelled() -> None:
    pass


@task(name="shop.invoicing.reports.tasks.send_monthly_invoices_by_mail")
def long_name() -> None:
    pass


def owner(task: Any, args: Any, kwargs: Any) -> dict[str, str] | None:
    """The resolver of this product: the keyword user_id, and a fault where it says so."""
    if kwargs.get("user_id") == "fault":
        raise LookupError
    return {"user_id": kwargs["user_id"]} if "user_id" in kwargs else None


@task
def bill(user_id: str) -> None:
    pass


@task
def bill_another() -> None:
    """Publish a task that belongs to somebody else, as its arguments say."""
    bill.delay(user_id="u5")
