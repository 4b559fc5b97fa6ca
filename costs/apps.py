"""Django's registration of the costs app."""

from django.apps import AppConfig


class CostsConfig(AppConfig):
    """What it cost: usage partials, prices, daily rollups and the pages that show them."""

    name = "costs"
    verbose_name = "Costs"

    def ready(self) -> None:
        """Register the system checks, and budgets as what jobs and AI calls ask."""
        from costs import alerting, checks  # noqa: F401 - registers by being imported
        from costs.throttle.hook import BudgetHook
        from healthpilot import admission
        from systemstatus.findings import register_findings

        admission.register(BudgetHook())
        register_findings("costs", alerting.findings)
