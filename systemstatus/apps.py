"""Django's registration of the systemstatus app."""

from django.apps import AppConfig


class SystemStatusConfig(AppConfig):
    """What is up, fast, failing and changed: modules and their checks, alerts, the audit trail."""

    name = "systemstatus"
    verbose_name = "System Status"

    def ready(self) -> None:
        """Find what every app wants watched, and look at the settings."""
        from systemstatus import checks, registry  # noqa: F401 - checks register themselves
        from systemstatus.findings import register_findings
        from systemstatus.judging import judge

        registry.discover()
        register_findings("snapshots", judge)
