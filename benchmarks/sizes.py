"""How large each run is; every figure reads its sizes from here."""

from dataclasses import dataclass

# One busy day of a product: so many events for each of its users, and this share of them LLM calls.
EVENTS_PER_USER = 200
LLM_SHARE = 0.7


@dataclass(frozen=True)
class Sizes:
    """One set of sizes.

    ingest_rows are stored per kind and run, partial_rows where they are folded beside it. events fill the
    large day; the small one has a tenth. range_users have a row on each of range_days days. runs says how
    often each pair is measured, day_runs where a run reads a whole day of raw events. tasks go through a
    worker in each run. A query is sent many times (queries) in each of query_runs short turns: a busy moment
    then spoils a few of them only. status_minutes of forty modules are stored for the pages of System Status.
    disk_bytes must be free before.
    """

    name: str
    ingest_rows: int
    partial_rows: int
    events: int
    range_users: int
    queries: int
    query_runs: int
    runs: int
    day_runs: int
    tasks: int
    disk_bytes: int
    range_days: int = 30
    status_minutes: int = 250

    @property
    def small_events(self) -> int:
        """The events of the day that growth is measured from."""
        return self.events // 10


TINY = Sizes(
    name="tiny",
    ingest_rows=2_000,
    partial_rows=2_000,
    events=20_000,
    range_users=200,
    queries=20,
    query_runs=2,
    runs=2,
    day_runs=2,
    tasks=100,
    disk_bytes=1_000_000_000,
)
QUICK = Sizes(
    name="quick",
    ingest_rows=10_000,
    partial_rows=50_000,
    events=1_000_000,
    range_users=15_000,
    queries=50,
    query_runs=25,
    runs=5,
    day_runs=3,
    tasks=1_000,
    disk_bytes=3_000_000_000,
)
FULL = Sizes(
    name="full",
    ingest_rows=50_000,
    partial_rows=200_000,
    events=10_000_000,
    range_users=150_000,
    queries=100,
    query_runs=50,
    runs=5,
    day_runs=3,
    tasks=5_000,
    disk_bytes=12_000_000_000,
    status_minutes=10_000,
)
