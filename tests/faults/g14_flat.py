"""G14: no request and no export loads a full set, held to by a limit on the process's address space."""

import gzip
import io
import json
import os
import resource
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection

from tests.faults.processes import Child
from tests.faults.promises import Size
from tests.faults.sandbox import empty, execute

EVENTS = {"tiny": 200_000, "normal": 300_000, "full": 10_000_000}
USER_DAYS = {"tiny": 40_000, "normal": 100_000, "full": 1_000_000}
ROOM_BYTES = 32 << 20
DAYS = 3
FILL = """
    INSERT INTO telemetry_llm_events
        (user_id, tier, llm_model, context_type, input_tokens, output_tokens, success, created_at)
    SELECT 'user' || n %% 5000, 'pro', 'gpt-4o-mini', 'chat', n %% 4000, n %% 900, true,
           %s::timestamptz + n * interval '3 days' / %s
    FROM generate_series(0, %s - 1) AS n"""
FILL_COSTS = """
    INSERT INTO cost_user_daily (user_id, date, tier, jobs, cost_usd, cost_exact)
    SELECT 'user' || n / %s, %s::date + n %% %s, 'pro', 1, 0.01, 0.01 FROM generate_series(0, %s - 1) AS n"""


def try_it(size: Size) -> str:
    """Fill the tables, then export and ask with little room; a child that fetches all must fail there."""
    empty()
    first = datetime.now(UTC).date() - timedelta(days=DAYS)
    fill(first, EVENTS[size], USER_DAYS[size])
    everything = Child(lambda: with_little_room(fetch_all), expects=MemoryError)
    assert everything.exit_code() == 0, "the limit does not bite: all rows fitted in"
    with tempfile.TemporaryDirectory(prefix="hp-g14-") as folder:
        for work in (lambda: export(folder, first), lambda: ask(first, USER_DAYS[size])):
            assert Child(lambda: with_little_room(work)).exit_code() == 0, "more memory was wanted"  # noqa: B023 - called at once
        check_files(Path(folder), EVENTS[size])
    empty()
    return (
        f"{EVENTS[size]:,} events exported as CSV and JSON Lines, {USER_DAYS[size]:,} user-days streamed and"
        f" limit=10⁹ clamped, all within {ROOM_BYTES >> 20} MiB"
    )


def fill(first: date, events: int, user_days: int) -> None:
    from telemetry.partitions import ensure_partitions, known_days

    known_days.forget()
    ensure_partitions("llm", [first + timedelta(days=day) for day in range(DAYS)])
    execute(FILL, [first, events, events])
    execute(FILL_COSTS, [DAYS, first, DAYS, user_days])


def with_little_room(work: Callable[[], object]) -> None:
    """Do the work with so much address space more than the process has now."""
    warm_up()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    work()


def warm_up() -> None:
    """Load what any request loads, so that the room is for data alone."""
    from django.test import Client

    connection.ensure_connection()
    for path in ("/accounts/login/", "/api/admin/cost/summary"):
        Client(SERVER_NAME="localhost").get(path)


def fetch_all() -> None:
    try:
        held = execute("SELECT * FROM telemetry_llm_events")
    except DatabaseError as error:  # what libpq makes of it
        raise MemoryError from error
    assert held


def export(folder: str, first: date) -> None:
    for layout in ("csv", "jsonl"):
        call_command(
            "export_events", "--kind", "llm", "--from", str(first), "--format", layout, "--gzip", "--json",
            "-o", f"{folder}/events.{layout}.gz", stdout=io.StringIO(),
        )  # fmt: skip


def check_files(folder: Path, events: int) -> None:
    """Count what was exported; reads line by line."""
    with gzip.open(folder / "events.csv.gz", "rt") as lines:
        assert next(lines).startswith("id,user_id,tier,")
        assert sum(1 for _ in lines) == events
    with gzip.open(folder / "events.jsonl.gz", "rt") as lines:
        assert json.loads(next(lines))["user_id"].startswith("user")
        assert sum(1 for _ in lines) == events - 1


def ask(first: date, user_days: int) -> None:
    """Ask the page, the API and the CSV file for everything at once."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    user = User.objects.create_superuser("g14")
    try:
        client.force_login(user)
        users = client.get("/api/admin/cost/users?limit=1000000000").json()
        assert (users["limit"], len(users["users"])) == (200, 200)
        assert client.get("/admin/cost?days=7").status_code == 200
        sheet = client.get(f"/admin/cost/export.csv?from={first}&to={datetime.now(UTC).date()}")
        streamed = sum(piece.count(b"\n") for piece in sheet.streaming_content)  # type: ignore[attr-defined] # it is a stream
        assert streamed == user_days + 1, streamed
    finally:
        user.delete()
