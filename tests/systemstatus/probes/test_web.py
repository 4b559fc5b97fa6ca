"""What web processes counted becomes figures, budgets and groups of errors, each minute once."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from systemstatus import error_groups, error_queries
from systemstatus.alerts.engine import evaluate
from systemstatus.collector import collect_snapshot
from systemstatus.judging import judge
from systemstatus.models import Alert, AuditEntry, ErrorGroup, ErrorHour, Snapshot
from systemstatus.probes import visits, web
from systemstatus.registry import CheckState, Metric, Probe
from telemetry import flushing
from telemetry.errors import THE_REST, Group, Sample
from telemetry.histograms import Histogram
from tests.systemstatus.test_collector import NOON
from tests.systemstatus.watched import module, only

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)
SAMPLE = Sample("ValueError", "no", "costs/views.py:1 dashboard", ["costs/views.py:1 dashboard"], "/x", "GET")
API = ("api.p50", "api.p95", "api.p99", "api.errors", "api.burn", "api.exceptions")


@pytest.fixture(autouse=True)
def broker() -> Iterator[redis.Redis]:
    broker = flushing.client()
    broker.flushall()
    yield broker
    broker.flushall()
    broker.close()


def served(broker: redis.Redis, calls: int, ms: float, status: str = "2xx", route: str = "/x") -> None:
    """Have web processes have counted so many requests a minute ago."""
    histogram = Histogram()
    for _ in range(calls):
        histogram.add(ms)
    fields = list(flushing.fields_of((route, "GET", status), histogram))
    minute = int(broker.time()[0]) // 60 - 1
    for name, amount in zip(fields[::2], fields[1::2], strict=True):
        broker.hincrbyfloat(f"hp:seen:requests:{minute}", name, float(amount))


def test_requests_become_figures_with_quantiles_by_route(broker: redis.Redis) -> None:
    served(broker, 90, 100)
    served(broker, 10, 900, status="5xx")
    served(broker, 500, 1, route="/healthz/live")
    read = web.requests()
    assert (read.values["api.requests"], read.values["api.errors_5xx"]) == (100, 10)
    assert 84 <= float(str(read.values["api.p50"])) <= 120
    assert 760 <= float(str(read.values["api.p95"])) <= 1080
    by_route = {one["route"]: one for one in read.detail["routes"]}
    assert by_route["/healthz/live"]["calls"] == 500
    assert (by_route["/x"]["calls"], by_route["/x"]["error_share"], by_route["/x"]["apdex"]) == (
        100,
        10.0,
        0.85,
    )


def test_a_minute_counts_once_and_again_where_its_snapshot_was_lost(broker: redis.Redis) -> None:
    served(broker, 5, 10)
    assert web.requests().values["api.requests"] == 5
    assert web.requests().values["api.requests"] == 5, "nothing was stored, so it counts again"
    drained = int(broker.time()[0]) // 60 - 1
    with only(module("web", Probe("requests", web.requests))):
        collect_snapshot(timezone.now() - MINUTE)
    assert int(Snapshot.objects.get().values["api.drained"]) == drained
    assert web.requests().values["api.requests"] == 0


def test_more_routes_than_are_listed_are_one_line(broker: redis.Redis) -> None:
    for n in range(web.MOST_ROUTES + 20):
        served(broker, 2 if n else 1, 10, route=f"/r{n}")
    listed = web.requests().detail["routes"]
    assert len(listed) == web.MOST_ROUTES + 1
    assert sum(one["calls"] for one in listed) == 2 * (web.MOST_ROUTES + 20) - 1


class Drive:
    """Minutes of requests, through the real collector, judge and engine."""

    def __init__(self, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch, *budgets: str) -> None:
        self.broker, self.minute, self.at = broker, NOON, int(NOON.timestamp()) // 60
        monkeypatch.setattr(web, "redis_minute", lambda broker: self.at)
        monkeypatch.setattr(timezone, "now", lambda: self.minute)
        metrics = tuple(Metric(name, "", name, name) for name in budgets)
        self.module = module(
            "web", Probe("requests", web.requests), Probe("exceptions", web.exceptions), metrics=metrics
        )

    def hold(self, *served: tuple[int, float, str], errors: int = 0, minutes: int = 7) -> dict[str, str]:
        """Serve the same each minute; returns the severity of what fired, by rule."""
        for _ in range(minutes):
            for calls, ms, status in served:
                histogram = Histogram()
                for _ in range(calls):
                    histogram.add(ms)
                fields = list(flushing.fields_of(("/x", "GET", status), histogram))
                for name, amount in zip(fields[::2], fields[1::2], strict=True):
                    self.broker.hset(f"hp:seen:requests:{self.at}", name, amount)
            if errors:
                self.broker.hset(f"hp:seen:errors:{self.at}", "cgroup", errors)
            self.minute, self.at = self.minute + MINUTE, self.at + 1
            collect_snapshot(self.minute)
            evaluate(judge(self.minute), now=self.minute, source="snapshots")
        fired = Alert.objects.filter(closed_at=None, fired_at__isnull=False).exclude(rule__startswith="check")
        return dict(fired.values_list("rule", "severity"))


def test_too_few_requests_are_no_breach(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = Drive(broker, monkeypatch, "api.errors", "api.p95")
    with only(drive.module):
        assert drive.hold((2, 9000, "5xx"), minutes=10) == {}


def test_the_error_budget_burns_fast_or_slow_by_pairs_of_windows(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = Drive(broker, monkeypatch, "api.burn")
    with only(drive.module):
        assert drive.hold((1000, 9, "2xx"), minutes=35) == {}
        assert drive.hold((990, 9, "2xx"), (10, 9, "5xx"), minutes=20) == {}, "6 h are not over 6 x yet"
        assert drive.hold((900, 9, "2xx"), (100, 9, "5xx"), minutes=12) == {"api.burn": "critical"}
        assert drive.hold((1000, 9, "2xx"), minutes=8) == {"api.burn": "warning"}, "5 min are well again"


def broken(request: HttpRequest, number: int) -> HttpResponse:
    raise ZeroDivisionError(f"{number} by nought for ada@example.org")


def handler500(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=500)


urlpatterns = [path("broken/<int:number>", broken)]


@pytest.mark.urls(__name__)
def test_a_route_that_raises_becomes_a_group_that_warns_at_once(
    client: Client, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.raise_request_exception = False
    for number in range(3):
        assert client.get(f"/broken/{number}").status_code == 500
    assert flushing.flush_all()
    now = int(broker.time()[0]) // 60
    monkeypatch.setattr(web, "redis_minute", lambda broker: now + 1)
    assert web.exceptions().values == {"api.exceptions_count": 3}
    assert web.exceptions().values == {"api.exceptions_count": 0}, "a minute counts once"
    group = ErrorGroup.objects.get()
    assert (group.type, group.route, group.count) == ("ZeroDivisionError", "/broken/<int:number>", 3)
    assert group.place.startswith("tests/systemstatus/probes/test_web.py:")
    assert "ada@" not in group.message
    (finding,) = error_queries.new_groups(timezone.now())
    assert (finding.level, finding.breach_cycles, finding.rule) == ("warning", 1, "api.new_error")


def absorbed(minute: int, *groups: Group) -> None:
    error_groups.absorb(int(NOON.timestamp()) // 60 + minute, groups)


def test_groups_beyond_the_bound_are_counted_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_groups, "MOST_GROUPS", 5)
    absorbed(0, *(Group(f"g{n}", 2, SAMPLE) for n in range(9)))
    absorbed(1, Group("g1", 1, SAMPLE), Group("new", 7, SAMPLE))
    assert ErrorGroup.objects.count() == 6
    assert ErrorGroup.objects.get(pk=THE_REST).count == 15
    assert ErrorGroup.objects.get(pk="g1").count == 3


def test_what_was_resolved_opens_itself_and_what_is_muted_warns_nobody() -> None:
    absorbed(0, Group("g", 1, SAMPLE))
    later = NOON + 30 * MINUTE
    assert len(list(error_queries.new_groups(later))) == 1
    error_groups.resolve("g", actor="ada")
    assert list(error_queries.new_groups(later)) == []
    absorbed(29, Group("g", 1, SAMPLE))
    assert ErrorGroup.objects.get().state == "open"
    assert len(list(error_queries.new_groups(later))) == 1
    until = timezone.now() + timedelta(days=1)
    error_groups.mute("g", until=until, actor="ada", reason="known")
    assert list(error_queries.new_groups(later)) == []
    error_groups.unmute("g", actor="ada")
    assert len(list(error_queries.new_groups(later))) == 1
    error_groups.reopen("g", actor="ada")
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["error.resolve", "error.mute", "error.unmute", "error.reopen"]


@pytest.mark.parametrize(("days", "reason"), [(-1, "known"), (91, "known"), (1, " ")])
def test_a_mute_needs_a_reason_and_a_time_that_comes(days: int, reason: str) -> None:
    absorbed(0, Group("g", 1, SAMPLE))
    with pytest.raises(ValueError, match=r"Choose a time|Write why"):
        error_groups.mute("g", until=timezone.now() + timedelta(days=days), actor="ada", reason=reason)
    with pytest.raises(ErrorGroup.DoesNotExist):
        error_groups.resolve("none", actor="ada")


def test_groups_are_pages_and_their_hours_a_line() -> None:
    for n in range(7):
        absorbed(n, *(Group(f"g{k}", 1, SAMPLE) for k in range(7 - n)))
    absorbed(60, Group("g0", 4, SAMPLE))
    first = error_queries.groups(limit=3)
    assert [group.pk for group in first.rows] == ["g0", "g1", "g2"]
    second = error_queries.groups(limit=3, cursor=first.next_cursor)
    assert [group.pk for group in second.rows] == ["g3", "g4", "g5"]
    assert [group.pk for group in error_queries.groups(limit=3, cursor=second.previous_cursor).rows] == [
        "g0",
        "g1",
        "g2",
    ]
    assert error_queries.sparklines(["g0", "none"], NOON + 60 * MINUTE, hours=3) == {
        "g0": [0, 7, 4],
        "none": [0, 0, 0],
    }


def test_what_has_not_occurred_for_long_goes() -> None:
    absorbed(0, Group("g", 1, SAMPLE))
    error_groups.prune(NOON + timedelta(days=9))
    assert (ErrorGroup.objects.count(), ErrorHour.objects.count()) == (1, 0)
    error_groups.prune(NOON + timedelta(days=91))
    assert not ErrorGroup.objects.exists()


def test_reading_a_busy_quarter_of_an_hour_takes_a_moment(broker: redis.Redis) -> None:
    minute = int(broker.time()[0]) // 60
    for back in range(1, 16):
        for n in range(80):
            histogram = Histogram()
            for ms in (1, 5, 20, 80, 300):
                histogram.add(ms)
            fields = list(flushing.fields_of((f"/r{n}", "GET", "2xx"), histogram))
            broker.hset(
                f"hp:seen:requests:{minute - back}", mapping=dict(zip(fields[::2], fields[1::2], strict=True))
            )
    began = time.thread_time()
    assert web.requests().values["api.requests"] == 15 * 80 * 5
    assert time.thread_time() - began < 3


def test_a_minute_without_a_visit_makes_no_portal_green() -> None:
    with flushing.client() as broker:
        minute = web.redis_minute(broker) - 1
        assert visits.visits("portal_customer").state == CheckState.DISABLED
        told = Histogram()
        told.add(900)
        for metric in ("ttfb", "lcp"):
            fields = list(flushing.fields_of(("customer", metric), told))
            for name, amount in zip(fields[::2], fields[1::2], strict=True):
                broker.hset(f"hp:seen:vitals:{minute}", name, amount)
            found = visits.visits("portal_customer")
            assert (found.state == CheckState.OK) == (metric == "lcp")
            assert found.values[f"portal.{metric}_told"] == {"40": 1}
        broker.delete(f"hp:seen:vitals:{minute}")
