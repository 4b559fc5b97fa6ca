"""The Celery app of a host that collects by systemd: its schedule holds no collector."""

from healthpilot.celery import app

app.conf.beat_schedule = {
    name: entry for name, entry in app.conf.beat_schedule.items() if name != "collect metrics"
}
