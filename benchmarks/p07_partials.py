"""P7: ingest while a second connection keeps the usage partials current, against ingest alone."""

import threading

from django.db import connection

from benchmarks import ingest
from benchmarks.database import EVENTS, empty
from benchmarks.figures import Bench, Measurement
from benchmarks.timing import alternate
from costs.usage import fold_pending

PAUSE_S = 0.5


def measure(bench: Bench) -> Measurement:
    """Both end when the last row is stored; with the partials also not before the last row is folded.

    Each turn begins without raw rows, since all turns store the same ones: rows of other turns would lie in
    the span of time that the fold reads. The partials stay, as they do in operation.
    """
    loads = ingest.loads(bench.sizes.partial_rows)

    def alone() -> None:
        for load in loads:
            load.ship()

    def kept_current() -> None:
        folder = Folder()
        alone()
        folder.finish()

    try:
        pairs = alternate(
            kept_current,
            alone,
            runs=bench.sizes.runs,
            before=lambda: empty(*EVENTS),
            before_peer=lambda: empty(*EVENTS),
        )
    finally:
        ingest.clear()
    rows = sum(len(load.rows) for load in loads)
    rates = f"{pairs.ours_rate(rows):,.0f} against {pairs.peer_rate(rows):,.0f} rows/s"
    return Measurement(pairs.speed, bench.sizes.runs, f"{rates}, until the last row is folded")


class Folder:
    """A thread that folds whatever is pending, as the worker's folding task does."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.failure: Exception | None = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        try:
            while not self.over.wait(PAUSE_S):
                fold_pending()
            fold_pending()
        except Exception as error:  # told to the measuring thread, which raises it
            self.failure = error
        finally:
            connection.close()

    def finish(self) -> None:
        """Wait until everything stored so far is folded; raises what the folding raised."""
        self.over.set()
        self.thread.join()
        if self.failure:
            raise self.failure
