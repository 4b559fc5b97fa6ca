"""P13: the eleven tabs of System Status from a real server, warm, against an empty view."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from benchmarks.database import empty, execute
from benchmarks.figures import Bench, Measurement
from benchmarks.p11_page import EMPTY, ms
from benchmarks.server import Site, site
from benchmarks.timing import alternate, seconds
from systemstatus import grains, registry
from systemstatus.tabs import TABS

MODULES = 40
DAY = timedelta(days=1)
SNAPSHOTS = "status_snapshots_1m"
# Every minute holds what a pass of the collector stores of a module: values, checks, and lists for the tab.
FILL = f"""
INSERT INTO {SNAPSHOTS} (module, captured_at, state, values, worst, detail, checks, took_ms, error)
SELECT %(module)s, at, 'ok', %(values)s::jsonb, '{{}}', %(detail)s::jsonb, (
    SELECT coalesce(jsonb_agg(told || jsonb_build_object('at', at, 'last_ok', at)), '[]')
    FROM jsonb_array_elements(%(checks)s::jsonb) AS told), 12, ''
FROM generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 minute') AS at"""
JUDGED = """
INSERT INTO status_leases (name, token, holder, minute, done_at, took_ms)
VALUES ('alerts', 1, 'bench', %(at)s, %(at)s, 5)
ON CONFLICT (name) DO UPDATE SET minute = excluded.minute, done_at = excluded.done_at"""


def measure(bench: Bench) -> Measurement:
    """Ask for every tab once a turn, and for the empty view as often; then drop what is past its time."""
    now, minutes = datetime.now(UTC).replace(second=0, microsecond=0), bench.sizes.status_minutes
    fill(now, minutes)
    try:
        with site() as found:
            each(found)()
            pairs = alternate(each(found), nothing(found), runs=bench.sizes.query_runs)
            slowest = max((seconds(asks(found, tab.url)), tab.title) for tab in TABS)
        kept = what_is_kept(now)
    finally:
        empty(SNAPSHOTS)
    note = (
        f"a tab {ms(pairs.ours.median / len(TABS))}, empty view {ms(pairs.peer.median / len(TABS))};"
        f" the slowest {slowest[1]}, {ms(slowest[0])}; {MODULES * minutes:,} snapshots{kept}"
    )
    return Measurement(pairs.cost, bench.sizes.query_runs, note)


def each(found: Site) -> Callable[[], None]:
    """Return the work of opening every tab."""

    def open_all() -> None:
        for tab in TABS:
            found.get(tab.url)

    return open_all


def nothing(found: Site) -> Callable[[], None]:
    """Return the work of asking for the empty view as often."""

    def ask() -> None:
        for _ in TABS:
            found.get(EMPTY)

    return ask


def asks(found: Site, address: str) -> Callable[[], Any]:
    return lambda: found.get(address)


def what_is_kept(now: datetime) -> str:
    """Return how large the stored minutes are, and how large what retention leaves of them is."""
    before = size()
    began = time.perf_counter()
    dropped = grains.drop_expired(now)
    took_s = time.perf_counter() - began
    after = size()
    return (
        f" of {before[1] / 1e6:.0f} MB ({before[1] / max(before[0], 1):.0f} bytes each); retention drops"
        f" {len(dropped)} partitions in {took_s:.2f} s and leaves {after[0]:,} of {after[1] / 1e6:.0f} MB"
    )


def size() -> tuple[int, int]:
    """Return the rows of the stored minutes and their bytes, indexes with them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT count(*) FROM {SNAPSHOTS}), coalesce(sum(pg_total_relation_size(relid)), 0)"
            f" FROM pg_partition_tree('{SNAPSHOTS}')"
        )
        rows, used = cursor.fetchone()
        return int(rows), int(used)


def fill(last: datetime, minutes: int) -> None:
    """Store minutes of every registered module, and of more up to forty."""
    first = last - timedelta(minutes=minutes - 1)
    for day in range((last - first).days + 2):
        grains.ensure_partitions(min(first + day * DAY, last))
    empty(SNAPSHOTS)
    execute(JUDGED, {"at": last})
    known = list(registry.modules())
    for number in range(MODULES):
        module = known[number] if number < len(known) else None
        values = {metric.id: 1.5 for metric in module.metrics} if module else {"one": 1, "two": 2.5}
        names = [probe.name for probe in module.probes] if module else ["look"]
        checks = [
            {"name": name, "state": "ok", "ms": 1.5, "error": "", "values": [], "detail": []}
            for name in names
        ]
        told = {
            "module": module.name if module else f"module_{number}",
            "values": json.dumps(values),
            "detail": json.dumps({"listed": [{"name": f"row {line}", "size": line} for line in range(40)]}),
            "checks": json.dumps(checks),
            "first": first,
            "last": last,
        }
        execute(FILL, told)
    execute(f"ANALYZE {SNAPSHOTS}")
