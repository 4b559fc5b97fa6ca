"""The Celery app, its delivery rules and the whole beat schedule, all in UTC and on plain intervals."""

import os
import threading
from typing import Any

from celery import Celery, signals

from healthpilot.broker import outlive_redis

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthpilot.settings")

HARD_LIMIT_S = 900
BROKER_LIMIT_S = 5
# One queue a class of jobs; a worker that is not told which (-Q) takes from all. Ticks are housekeeping.
QUEUES = ("paid", "free", "heavy", "system")

outlive_redis()
app = Celery("healthpilot", task_cls="healthpilot.ticks:Tick")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_ignore_result=True,
    task_queues={name: {} for name in QUEUES},
    task_default_queue="system",
    task_time_limit=HARD_LIMIT_S,
    task_soft_time_limit=HARD_LIMIT_S - 60,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    # A message is handed out again after this long without an answer, so it must outlast the longest task.
    # A Redis that hangs may not hold a request that only wants to send a message.
    broker_transport_options={
        "visibility_timeout": 2 * HARD_LIMIT_S,
        "global_keyprefix": "hp:celery:",
        "socket_timeout": BROKER_LIMIT_S,
        "socket_connect_timeout": BROKER_LIMIT_S,
    },
    broker_connection_retry=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    timezone="UTC",
    enable_utc=True,
    beat_scheduler="systemstatus.vitals.beat:SeenScheduler",
)
app.steps["worker"].add("healthpilot.shutdown:ShutdownStep")
app.steps["consumer"].add("systemstatus.vitals.worker:PulseStep")


def every(task: str, seconds: int) -> dict[str, object]:
    """Return a beat entry; a tick that waited a whole interval in the queue is dropped, so none pile up."""
    return {"task": task, "schedule": float(seconds), "options": {"expires": seconds}}


# Interval ticks only: PostgreSQL says which local days are due, so clock changes and missed nights mend
# themselves.
app.conf.beat_schedule = {
    "fold usage": every("costs.fold_usage", 5),
    "roll up open days": every("costs.rollup_open_days", 15),
    "roll up due days": every("costs.rollup_due_days", 60),
    "compare budgets": every("costs.compare_budgets", 15),
    "weekly summary": every("costs.weekly_summary", 900),
    "explain yesterday": every("costs.explain_yesterday", 900),
    "prune decisions": every("costs.prune_decisions", 3600),
    "prune answers": every("ai.prune_answers", 3600),
    "keep partitions": every("telemetry.keep_partitions", 3600),
    "forget ingested ids": every("telemetry.forget_ingested_ids", 3600),
    "sweep jobs": every("dataqueue.sweep", 15),
    "prune jobs": every("dataqueue.prune", 3600),
    "prune uploads": every("imports.prune_uploads", 3600),
    "collect metrics": every("systemstatus.collect", 60),
    "evaluate alerts": every("systemstatus.evaluate_alerts", 60),
    "send notifications": every("systemstatus.send_notifications", 10),
    "prune alerts": every("systemstatus.prune_alerts", 3600),
    "keep grains": every("systemstatus.keep_grains", 3600),
}
app.autodiscover_tasks()


def ship_what_is_left(**details: Any) -> None:
    """Take over what processes of this machine left that are gone, although this one records nothing."""
    from telemetry import spool

    spool.serve()


def note_the_start(**details: Any) -> None:
    """Note in the audit trail that another release or other settings run now.

    A thread of its own does it, so that no start waits for a database that is silent.
    """
    from django.db import connection

    from systemstatus.releases import note_start

    def note() -> None:
        note_start()
        connection.close()

    threading.Thread(target=note, name="note-the-start", daemon=True).start()


for signal in (signals.worker_ready, signals.beat_init):
    signal.connect(ship_what_is_left, weak=False)
    signal.connect(note_the_start, weak=False)
