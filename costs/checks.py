"""System checks of costs: the zone that usage was kept in is the zone that days are counted by."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from costs.usage import ZoneChanged, check_zone


@register(Tags.database)
def check_cost_zone(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """E001: COST_TIMEZONE changed after usage was kept; runs with `check --database default`."""
    if not databases:
        return []
    try:
        check_zone()
    except ZoneChanged as error:
        hint = "`manage.py rollup_costs --rebuild-timezone` counts everything again by the new zone."
        return [Error(str(error), hint=hint, id="costs.E001")]
    except DatabaseError:
        pass  # Before the first migration there is no usage in any zone.
    return []
