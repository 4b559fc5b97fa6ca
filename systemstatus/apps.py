"""Django's registration of the systemstatus app."""

from django.apps import AppConfig


class SystemStatusConfig(AppConfig):
    """What is up, fast, failing and changed: the audit trail, later checks and alerts."""

    name = "systemstatus"
    verbose_name = "System Status"
