"""G5: each local day is closed once and in time, through both clock changes, and after beat stood still."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import time_machine
from django.test import override_settings

from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute

# Zone, night, and when 02:30 (or what stands for it) is in UTC, read off the zones' rules by hand.
NIGHTS = [
    ("UTC", "2026-03-29", "2026-03-29 02:30"),
    ("Europe/Berlin", "2026-03-29", "2026-03-29 01:00"),  # 02:00 to 03:00 is left out
    ("Europe/Berlin", "2025-10-26", "2025-10-26 00:30"),  # 02:30 comes twice: the first
    ("America/New_York", "2026-03-08", "2026-03-08 07:00"),
    ("America/New_York", "2025-11-02", "2025-11-02 07:30"),
    ("Australia/Lord_Howe", "2025-10-05", "2025-10-04 15:30"),  # 02:00 to 02:30 is left out
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-04 16:00"),  # 01:30 to 02:00 comes twice
    ("Asia/Kathmandu", "2026-03-29", "2026-03-28 20:45"),
    ("America/St_Johns", "2026-03-08", "2026-03-08 05:30"),  # a half-hour zone: 02:00 to 03:00 is left out
]
STEP = timedelta(minutes=5)
LATEST = timedelta(minutes=10)


def try_it(size: Size) -> str:
    """Tick through every night in its zone; then stop ticking across several and see them caught up."""
    nights = NIGHTS if size != "tiny" else NIGHTS[1:3] + NIGHTS[5:6]
    for zone, night, due in nights:
        with override_settings(COST_TIMEZONE=zone):
            assert_closed_in_time(zone, date.fromisoformat(night), datetime.fromisoformat(f"{due}+00:00"))
    for zone in {zone for zone, _, _ in nights}:
        with override_settings(COST_TIMEZONE=zone):
            assert_missed_nights_catch_up(zone)
    zones = len({zone for zone, _, _ in nights})
    return f"{len(nights)} nights in {zones} zones closed once within 10 min; missed nights caught up"


def begin(zone: str, since: datetime) -> None:
    """Make an empty product that has kept usage in a zone since an instant."""
    empty()
    execute("INSERT INTO cost_settings (id, timezone, created_at) VALUES (1, %s, %s)", [zone, since])


def assert_closed_in_time(zone: str, night: date, due_at: datetime) -> None:
    """Tick every five minutes from two hours before to two hours after, and see the day before closed."""
    closing = night - timedelta(days=1)
    begin(zone, due_at - timedelta(hours=12))
    seen: dict[date, list[datetime]] = {}
    for moment in ticks(due_at - timedelta(hours=2), due_at + timedelta(hours=2)):
        for day in tick(moment):
            seen.setdefault(day, []).append(moment)
    assert set(seen) <= {closing, closing - timedelta(days=1)}, f"{zone}: closed {sorted(seen)}"
    assert len(seen[closing]) == 1, f"{zone} {closing}: closed at {seen[closing]}"
    late = seen[closing][0] - due_at
    assert timedelta(0) <= late <= LATEST, f"{zone} {closing}: closed {late} after it was due"


def ticks(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += STEP


def tick(moment: datetime) -> set[date]:
    """Let the scheduled task run at an instant and return the days that it closed."""
    from costs.tasks import rollup_due_days

    before = closed()
    with time_machine.travel(moment, tick=False):
        rollup_due_days()
    return closed() - before


def closed() -> set[date]:
    return {day for (day,) in execute("SELECT date FROM cost_days WHERE closed_at IS NOT NULL")}  # type: ignore[misc]  # a date column


def assert_missed_nights_catch_up(zone: str) -> None:
    """Stand still across three nights, tick once: all three are closed."""
    start = datetime(2026, 3, 27, 12, tzinfo=UTC)
    begin(zone, start)
    tick(start + timedelta(hours=1))
    caught_up = tick(start + timedelta(days=3))
    local = {date(2026, 3, 27), date(2026, 3, 28), date(2026, 3, 29)}
    assert local - caught_up <= {date(2026, 3, 29)}, f"{zone}: only {sorted(caught_up)} caught up"
    assert len(caught_up) >= 2, f"{zone}: only {sorted(caught_up)} caught up"
