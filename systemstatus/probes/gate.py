"""What the last look at every page in a browser found: `./run a11y` leaves its report in the data folder."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from systemstatus.registry import CheckState, Reading

NAME: Final = "a11y.json"
OLD_AFTER: Final = timedelta(days=7)
MOST_BYTES: Final = 20_000_000
NOBODY: Final = "No report of ./run a11y lies in the data folder"


def last_look() -> Reading:
    """Return how many findings the last report has; an old one proves nothing of today's pages."""
    path = Path(settings.HEALTHPILOT_VAR) / NAME
    if not path.is_file():
        return Reading(state=CheckState.DISABLED, note=NOBODY)
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    looks = read(path)
    if not looks:
        return Reading(state=CheckState.UNKNOWN, note=f"{NAME} tells of no page")
    found = [(look, kind) for look in looks for kind, ones in look["found"].items() for _ in ones]
    values = {"gate.looks": len(looks), "gate.findings": len(found)}
    if found:
        first, kind = found[0]
        note = f"{len(found)} findings, the first on “{first['page']}”: {kind}"
        return Reading(values, {"last_ok_at": None}, CheckState.FAILED, note)
    detail = {"last_ok_at": at.isoformat()}
    if timezone.now() - at > OLD_AFTER:
        return Reading(values, detail, CheckState.SKIPPED, f"Unproven: the last look was on {at:%Y-%m-%d}")
    return Reading(values, detail)


def read(path: Path) -> list[dict[str, Any]]:
    """Return the looks of a report; nothing where it cannot be read."""
    if path.stat().st_size > MOST_BYTES:
        return []
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    is_report = isinstance(told, list) and all(
        isinstance(one, dict) and isinstance(one.get("found"), dict) and "page" in one for one in told
    )
    return told if is_report else []
