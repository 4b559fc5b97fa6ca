"""Django's registration of the host itself: its commands and system checks."""

from django.apps import AppConfig


class HealthPilotConfig(AppConfig):
    """The host: settings, start and stop, system checks."""

    name = "healthpilot"
    verbose_name = "HealthPilot"

    def ready(self) -> None:
        """Register the system checks, and record the tasks that this process publishes or runs."""
        from healthpilot import checks  # noqa: F401 - importing registers them
        from telemetry.celery_events import record_tasks

        record_tasks()
