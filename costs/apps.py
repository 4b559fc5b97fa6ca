"""Django's registration of the costs app."""

from django.apps import AppConfig


class CostsConfig(AppConfig):
    """What it cost: usage partials, prices, daily rollups and the pages that show them."""

    name = "costs"
    verbose_name = "Costs"

    def ready(self) -> None:
        """Register the system checks."""
        from costs import checks  # noqa: F401 - importing registers them
