"""Connects the recording to Celery's signals, once a process."""

from celery import signals

from telemetry.celery_events import ending, outside, published, running


def record_tasks() -> None:
    """Record every task that this process runs or publishes from now on; a second call changes nothing.

    Call it once in the module that makes the Celery app, or from an AppConfig's ready(): publishers need it
    as workers do, for they stamp when a task was queued and for whom. Works in every pool and in eager mode.
    A task with the attribute `telemetry = False`, or whose name fits a pattern of the setting
    TELEMETRY_SKIPPED_TASKS, is left out.
    """
    for signal, receiver in (
        (signals.before_task_publish, published.stamp),
        (signals.task_prerun, running.began),
        (signals.task_postrun, running.ended),
        (signals.task_failure, outside.failed),
        (signals.task_revoked, outside.revoked),
        (signals.worker_process_init, ending.begins),
        (signals.worker_process_shutdown, ending.ends),
        (signals.worker_shutdown, ending.ends),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"telemetry:{receiver.__name__}")
