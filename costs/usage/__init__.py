"""Usage partials: folded from raw events in small steps, each row once, and rebuilt on request.

Every transaction that stores raw rows leaves a mark (telemetry_shipments). A fold deletes marks and adds
their rows in one transaction: it misses no row that commits late and counts none twice, even if killed.
"""

from costs.usage.fold import fold_pending
from costs.usage.lock import FoldBusy, UsageError, ZoneChanged, check_zone
from costs.usage.rebuild import RawRowsGone, has_raw_rows_gone, rebuild_day_from_raw
from costs.usage.rezone import adopt_zone
from costs.usage.user_hours import complete_user_hours

__all__ = [
    "FoldBusy",
    "RawRowsGone",
    "UsageError",
    "ZoneChanged",
    "adopt_zone",
    "check_zone",
    "complete_user_hours",
    "fold_pending",
    "has_raw_rows_gone",
    "rebuild_day_from_raw",
]
