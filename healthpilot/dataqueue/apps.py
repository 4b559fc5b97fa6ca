"""Django's registration of the queue; at start every app's `jobs` module registers its kinds."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class DataQueueConfig(AppConfig):
    """Background jobs in batches, kept in PostgreSQL."""

    name = "healthpilot.dataqueue"
    label = "dataqueue"
    verbose_name = "Job queue"

    def ready(self) -> None:
        """Find the kinds of jobs that the apps define."""
        autodiscover_modules("jobs")
