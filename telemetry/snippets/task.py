import os

from celery import Celery

from telemetry.celery_events import record_tasks, telemetry_context

app = Celery("shop", broker=os.environ["CELERY_BROKER_URL"])
record_tasks()  # from here on every task is recorded


@app.task
def nightly_report(day: str) -> int:
    return len(day)


def order_report(user_id: str) -> None:
    with telemetry_context(user_id=user_id, tier="pro", domain="reports"):
        nightly_report.delay("2026-05-01")
