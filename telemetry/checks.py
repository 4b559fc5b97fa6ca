"""System checks of telemetry: whether what is recorded can be kept until it is shipped."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - Django's own name

from telemetry.spool.folder import fault, spool_folder


@register
def check_spool(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """W001: the spool's folder takes no file, so events are dropped and counted."""
    if reason := fault():
        message = f"The spool {spool_folder()} takes no file ({reason}): events are dropped."
        hint = "Let this account write there, or name another data folder in HEALTHPILOT_VAR."
        return [Warning(message, hint=hint, id="telemetry.W001")]
    return []
