"""P1: what the shipper stores a second, against one raw COPY of the same rows, encoded beforehand."""

from django.db import connection

from benchmarks import ingest
from benchmarks.figures import Bench, Measurement
from benchmarks.p02_ingest import describe
from benchmarks.timing import Pairs, alternate
from telemetry.events import EVENT_KINDS


def measure(bench: Bench) -> Measurement:
    """Ship batches of 1000 in a transaction each; the peer is one COPY of everything in one transaction."""
    loads = ingest.loads(bench.sizes.ingest_rows)
    try:
        pairs = [against_copy(load, bench.sizes.runs) for load in loads]
    finally:
        ingest.clear()
    each = "; ".join(describe(load, found) for load, found in zip(loads, pairs, strict=True))
    return Measurement(Pairs.sum(pairs).speed, bench.sizes.runs, each)


def against_copy(load: ingest.Load, runs: int) -> Pairs:
    """Time both ways in turns."""
    data, kind = load.copy_data(), EVENT_KINDS[load.kind]

    def raw_copy() -> None:
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {kind.table} ({', '.join(kind.columns)}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.write(data)

    return alternate(load.ship, raw_copy, runs=runs)
