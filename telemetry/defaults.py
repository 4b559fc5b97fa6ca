"""Telemetry's settings in a Django project of the host's own, whose settings need not state any of them."""

import os
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

DEFAULTS: Final = {
    "HEALTHPILOT_ROLE": "application",
    "TELEMETRY_RETENTION_DAYS": 90,
    "TELEMETRY_SPOOL_MAX_MB": 1024,
}


def fill() -> None:
    """Give each setting that is missing its default; raises ImproperlyConfigured without a data folder."""
    for name, value in DEFAULTS.items():
        if not hasattr(settings, name):
            setattr(settings, name, value)
    if not hasattr(settings, "HEALTHPILOT_VAR"):
        folder = os.environ.get("HEALTHPILOT_VAR", "")
        if not os.path.isabs(folder):
            raise ImproperlyConfigured(
                "telemetry needs HEALTHPILOT_VAR, HealthPilot's data folder on this machine:"
                " set it in the environment as an absolute path."
            )
        settings.HEALTHPILOT_VAR = folder
