"""Django's registration of the systemstatus app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SystemStatusConfig(AppConfig):
    """What is up, fast, failing and changed: modules and their checks, alerts, the audit trail."""

    name = "systemstatus"
    verbose_name = "System Status"

    def ready(self) -> None:
        """Find what every app wants watched, and look at the settings."""
        from healthpilot.web import trail
        from systemstatus import checks, registry  # noqa: F401 - checks register themselves
        from systemstatus.audit import record_audit
        from systemstatus.error_queries import new_groups
        from systemstatus.findings import register_findings
        from systemstatus.judging import SOURCE, judge
        from systemstatus.releases import note_migrations

        registry.discover()
        trail.hear(record_audit)
        post_migrate.connect(note_migrations, sender=self)
        register_findings(SOURCE, judge)
        register_findings("errors", new_groups)
