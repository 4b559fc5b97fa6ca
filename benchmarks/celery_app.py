"""A Celery app with one task that does nothing: with telemetry where BENCH_TELEMETRY says so, or without."""

import os

from celery import Celery

TELEMETRY = os.environ.get("BENCH_TELEMETRY") == "1"

if TELEMETRY:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthpilot.settings")
    django.setup()

app = Celery("bench", broker=os.environ.get("BENCH_BROKER"), set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_default_queue=f"bench{int(TELEMETRY)}",
    broker_transport_options={"global_keyprefix": "bench:"},
)

if TELEMETRY:
    from telemetry.celery_events import record_tasks

    record_tasks()


@app.task
def nothing() -> None:
    pass
