"""The host itself as an app: its commands and system checks."""

from django.apps import AppConfig


class HealthPilotConfig(AppConfig):
    """Registers the host's commands and checks."""

    name = "healthpilot"
