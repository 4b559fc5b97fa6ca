"""The tab Database: what is wrong beside what mends it, and everything that the probes answer."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from systemstatus.collector import collect_snapshot
from systemstatus.tabs.database import connections, sessions
from tests.costs.factories import make_staff
from tests.systemstatus.factories import HOSTILE, make_bad_night, make_snapshot, this_minute

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signed_in(client: Client) -> None:
    client.force_login(make_staff())


def shown(client: Client) -> str:
    answer = client.get("/admin/status/database")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_breach_stands_beside_what_mends_it(client: Client) -> None:
    make_bad_night()
    html = shown(client)
    assert "Oldest idle transaction: 41\u202fmin" in html
    assert "Session 48213, metabase of report_reader, idle in transaction." in html
    assert "End the session" in html
    assert "idle_in_transaction_session_timeout" in html


def test_every_question_of_the_probes_is_answered(client: Client) -> None:
    make_bad_night()
    html = shown(client)
    for told in (
        "78 of 100 connections", "Blocks 2", "holds rating_cdr (AccessShareLock)", "PostgreSQL 18.4",
        "telemetry_job_events", "VACUUM (ANALYZE)", "VACUUM FULL", "41.2 %", "rating_cdr_carrier",
        "DROP INDEX CONCURRENTLY", "212\u202fM", "public.audit_entries_id_seq", "No replica is connected",
    ):  # fmt: skip
        assert told in html.replace("&quot;", '"'), told


@pytest.mark.django_db(transaction=True)
def test_it_shows_what_the_real_collector_stored(client: Client) -> None:
    cache.clear()  # a test of the same minute leaves its tab there
    collect_snapshot(this_minute())
    html = shown(client)
    assert "No session waits for another." in html
    assert "connections" in html
    assert "This server is a primary." in html


def session(pid: int, depth: int, query: str = "SELECT", blocked: int = 0) -> dict[str, Any]:
    return {"pid": pid, "depth": depth, "waits_s": 1.0 if depth else None, "blocked": blocked, "query": query,
            "transaction_s": 2.0}  # fmt: skip


def test_many_that_wait_alike_are_told_in_one_line() -> None:
    rows = [session(1, 0, blocked=9), *(session(pid, 1) for pid in range(2, 11))]
    lines = sessions(rows)
    assert [line.row["pid"] for line in lines] == [1, 2, 3, 4]
    assert lines[-1].alike == 6


def test_those_that_wait_with_other_statements_or_below_others_are_told_apart() -> None:
    rows = [
        session(1, 0, blocked=4), *(session(pid, 1, f"SELECT {pid}") for pid in range(2, 6)),
        session(6, 0, blocked=4), *(session(pid, 1) for pid in range(7, 10)),
    ]  # fmt: skip
    assert len(sessions(rows)) == len(rows)


def test_a_deep_tree_stays_within_the_page() -> None:
    assert max(line.depth for line in sessions([session(n, n, blocked=1) for n in range(50)])) == 5


def test_the_bar_of_connections_ends_at_the_limit() -> None:
    told = connections({"connections": {"states": {"active": 30, "weird": 10}, "most": 100}})
    shares: Any = told["shares"]
    assert [(share.label, share.start, share.width) for share in shares] == [
        ("Active", 0, 30), ("Other", 30, 10),
    ]  # fmt: skip
    assert connections({}) == {}


def test_hostile_statements_and_names_are_text(client: Client) -> None:
    row = {**session(1, 0, HOSTILE, blocked=1), "app": HOSTILE, "account": HOSTILE, "state": HOSTILE,
           "holds": [HOSTILE], "waits_for": HOSTILE}  # fmt: skip
    detail = {
        "blocking": [row],
        "longest_queries": [{**row, "query_s": 1.0, "state_s": 1.0}],
        "connections": {"states": {HOSTILE: 3}, "most": 100},
        "applications": {HOSTILE: 3},
    }
    make_snapshot("postgres", detail=detail, error=HOSTILE, values={"db.longest_query": 999})
    html = shown(client)
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
