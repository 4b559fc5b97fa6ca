"""Django's registration of governance: its guard and its system checks."""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Documents that stay true, checked before every management command."""

    name = "governance"
    verbose_name = "Governance"

    def ready(self) -> None:
        """Put the guard in place, refuse silenced checks, register the system checks."""
        from governance import checks, guard  # noqa: F401 - importing checks registers them

        guard.refuse_silence()
        guard.install()
