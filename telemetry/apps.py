"""Django's registration of the telemetry app."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    """What happened: job and LLM events, their partitions and their ways in."""

    name = "telemetry"
    verbose_name = "Telemetry"
