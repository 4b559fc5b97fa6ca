"""Django's registration of the host itself: its commands and system checks."""

from django.apps import AppConfig


class HealthPilotConfig(AppConfig):
    """The host: settings, start and stop, system checks."""

    name = "healthpilot"
    verbose_name = "HealthPilot"

    def ready(self) -> None:
        """Register the system checks."""
        from healthpilot import checks  # noqa: F401 - importing registers them
