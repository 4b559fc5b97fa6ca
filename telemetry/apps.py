"""Django's registration of the telemetry app."""

from datetime import UTC, datetime
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.signals import got_request_exception
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class TelemetryConfig(AppConfig):
    """What happened: job and LLM events, their partitions and their ways in."""

    name = "telemetry"
    verbose_name = "Telemetry"

    def ready(self) -> None:
        """Gather exceptions, count rows, tell of killed attempts, have a fresh database take events."""
        from telemetry import attempts, checks, defaults, errors, lost, spool
        from telemetry.rows import count_on

        assert checks  # importing it registers them
        defaults.fill()
        if hasattr(settings, "REDIS_ADDRESS"):  # where they go; a project of the host's own may have none
            got_request_exception.connect(errors.note, dispatch_uid="telemetry.errors")
        connection_created.connect(count_on, dispatch_uid="telemetry.rows")
        spool.register(attempts.SUFFIX, lost.rows_left)
        post_migrate.connect(make_partitions_ahead, sender=self, dispatch_uid="telemetry.partitions")


def make_partitions_ahead(using: str, **details: Any) -> None:
    """Make the partitions of the days ahead, unless the migration took the tables away."""
    from django.db import DEFAULT_DB_ALIAS, connection

    from telemetry.models import LlmEvent
    from telemetry.partitions import make_ahead

    if using == DEFAULT_DB_ALIAS and LlmEvent._meta.db_table in connection.introspection.table_names():
        make_ahead(datetime.now(UTC))
