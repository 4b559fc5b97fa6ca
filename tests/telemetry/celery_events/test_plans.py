"""Which tasks are recorded."""

from telemetry.celery_events.plans import make_plan


def test_healthpilots_own_ticks_and_carriers_are_left_out() -> None:
    """Ticks would keep an idle product busy with counting itself; a carrier's job records itself."""
    from healthpilot.celery import app

    app.loader.import_default_modules()
    names = {entry["task"] for entry in app.conf.beat_schedule.values()} | {"dataqueue.run"}
    assert [name for name in names if make_plan(app.tasks[name])] == []
