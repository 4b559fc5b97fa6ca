"""P2: what the shipper stores a second, against Django's bulk_create of the same rows."""

from benchmarks import ingest
from benchmarks.figures import Bench, Measurement
from benchmarks.timing import Pairs, alternate, seconds

PLAIN_ROWS = 2_000


def measure(bench: Bench) -> Measurement:
    """Store the same rows both ways, a transaction per 1000, kind by kind.

    The peer at its best gets every column from the caller; models used as they are, with the database's
    defaults, take several times longer and go into the note alone.
    """
    loads = ingest.loads(bench.sizes.ingest_rows)
    try:
        pairs = [against_bulk_create(load, bench.sizes.runs) for load in loads]
        plain = [(load, plain_rate(load)) for load in loads]
    finally:
        ingest.clear()
    notes = [describe(load, found) for load, found in zip(loads, pairs, strict=True)]
    notes += [f"{rate:,.0f} {load.kind} rows/s with the database's defaults" for load, rate in plain]
    return Measurement(Pairs.sum(pairs).speed, bench.sizes.runs, "; ".join(notes))


def against_bulk_create(load: ingest.Load, runs: int) -> Pairs:
    """Time both ways in turns; the model instances are made beforehand, as the shipper's rows are."""
    fresh: list[list[list[ingest.Event]]] = []
    return alternate(
        load.ship,
        lambda: bulk_create(load, fresh.pop()),
        runs=runs,
        before=lambda: fresh.append(load.objects(complete=True)),
    )


def bulk_create(load: ingest.Load, batches: list[list[ingest.Event]]) -> None:
    """Store the instances as a caller of Django would."""
    manager = ingest.MODELS_OF_KIND[load.kind]._default_manager
    for batch in batches:
        manager.bulk_create(batch, batch_size=ingest.BATCH)  # type: ignore[arg-type] # either model, kind by kind


def plain_rate(load: ingest.Load) -> float:
    """Return rows a second of bulk_create with the database's own defaults, over a few batches."""
    part = ingest.Load(load.kind, load.rows[:PLAIN_ROWS])
    batches = part.objects(complete=False)
    return len(part.rows) / seconds(lambda: bulk_create(part, batches))


def describe(load: ingest.Load, pairs: Pairs) -> str:
    """Return one kind's ratio and both rates in rows a second."""
    ours, peer = pairs.ours_rate(len(load.rows)), pairs.peer_rate(len(load.rows))
    return f"{load.kind} {pairs.speed.median:.2f}x ({ours:,.0f} against {peer:,.0f} rows/s)"
