"""The time zone of a file's times without an offset."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telemetry.importer.errors import ImportRefusedError


def zone_named(name: str | None) -> ZoneInfo | None:
    """Return the zone of a --timezone. Raises ImportRefusedError."""
    try:
        return ZoneInfo(name) if name is not None else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ImportRefusedError(
            f"--timezone {name!r} is not known: give a name such as UTC or Europe/Prague"
        ) from None
