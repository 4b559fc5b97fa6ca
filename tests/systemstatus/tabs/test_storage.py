"""The tab Storage: what Redis, disks and the spool say, judged and in words."""

import pytest
from django.test import Client

from systemstatus.collector import collect_snapshot
from systemstatus.tabs.storage import told_of
from tests.costs.factories import make_staff
from tests.systemstatus.factories import this_minute

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_it_shows_what_the_real_collector_stored(client: Client) -> None:
    client.force_login(make_staff())
    collect_snapshot(this_minute())
    html = client.get("/admin/status/storage").content.decode()
    for told in ("Valkey", "Round trips", "Memory in use", "Free", "Events that wait", "no limit"):
        assert told in html, told


def test_redis_at_its_maximum_and_its_persistence_are_told() -> None:
    told = dict(
        told_of(
            {
                "server": {
                    "redis_version": "7.4", "maxmemory": 1024**2, "maxmemory_policy": "noeviction",
                    "aof_enabled": 1, "rdb_last_bgsave_status": "err", "rdb_last_save_time": 0,
                }
            }
        )
    )  # fmt: skip
    assert told["At its maximum"] == "1\u202fMB, noeviction"
    assert told["Persistence"] == "append-only file, last saved never, err"


def test_what_was_dropped_is_told_and_nothing_where_nothing_was() -> None:
    assert told_of({"dropped": {"full": 3, "bad": 0}}) == [("Dropped", "full 3")]
    assert told_of({"dropped": {"full": 0}}) == []


def test_object_storage_is_told_once_a_probe_asks_it() -> None:
    assert told_of({"steps_ms": {"put": 120, "get": 40.5}}) == [("Put", "120\u202fms"), ("Get", "40\u202fms")]
