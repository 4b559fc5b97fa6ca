"""Services, R2, certificates and portals are asked for real, and judged over their windows."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped] # boto has no types
import pytest
import redis
from django.utils import timezone
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from systemstatus.collector import collect_snapshot
from systemstatus.findings import Level
from systemstatus.grains import ensure_partitions
from systemstatus.judging import judge
from systemstatus.models import Maintenance, Snapshot, TenMinutes
from systemstatus.probes import certificates, integrations, portals, r2
from systemstatus.registry import CheckState, Metric, Probe, Reading
from telemetry import flushing
from telemetry.outbound.client import circuits, observe, observed
from tests.certificates import write_certificate
from tests.receiver import receiving
from tests.systemstatus.test_collector import NOON
from tests.systemstatus.watched import module, only, probe

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    broker = flushing.client()
    broker.flushall()
    observed.take()
    yield broker
    broker.flushall()
    broker.close()


def nothing_lacks() -> str:
    return ""


def test_calls_of_a_service_become_figures_and_none_is_unproven_not_green(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = integrations.integration("one", "One", nothing_lacks, owner="tests")
    for _ in range(15):
        observe("one", "2xx", 50)
    for outcome in ("5xx", "timeout", "failed"):
        observe("one", outcome, 900)
    observe("another", "2xx", 1)
    assert flushing.flush_all()
    now = int(broker.time()[0]) // 60
    monkeypatch.setattr(integrations, "redis_minute", lambda broker: now + 1)
    read = service.probes[0].run()
    assert (read.values["integration.calls"], read.values["integration.failed"]) == (18, 3)
    assert read.state == CheckState.OK
    with only(service):
        collect_snapshot(timezone.now())
    idle = service.probes[0].run()
    assert (idle.state, idle.values["integration.calls"]) == (CheckState.SKIPPED, 0)
    assert "last success 0 min ago" in idle.note


def test_a_service_that_is_not_configured_says_which_setting_lacks() -> None:
    service = integrations.integration("one", "One", lambda: "ONE_KEY", owner="tests")
    read = service.probes[0].run()
    assert (read.state, read.note) == (CheckState.DISABLED, "ONE_KEY is not set")


@pytest.fixture
def bucket(settings: Settings) -> Iterator[str]:
    """An S3 server of the test's own, with a bucket."""
    circuits.clear()
    r2.client.cache_clear()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings.R2_ENDPOINT_URL, settings.R2_BUCKET = f"http://{host}:{port}", "files"
    settings.R2_ACCESS_KEY_ID, settings.R2_SECRET_ACCESS_KEY = "key", "secret"
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=settings.R2_ENDPOINT_URL, **keys).create_bucket(Bucket="files")
    yield "files"
    server.stop()
    r2.client.cache_clear()
    circuits.clear()


def test_r2_takes_an_object_gives_it_back_and_lets_it_go(bucket: str, settings: Settings) -> None:
    read = r2.round_trip()
    assert read.state == CheckState.OK
    assert float(str(read.values["storage.probe"])) > 0
    assert set(read.detail["r2"]) == {"put_ms", "get_ms", "delete_ms"}
    maker = boto3.client("s3", endpoint_url=settings.R2_ENDPOINT_URL, aws_access_key_id="key",
                         aws_secret_access_key="secret", region_name="us-east-1")  # fmt: skip
    assert maker.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    settings.R2_BUCKET = "another"
    with pytest.raises(Exception, match="404") as raised:
        r2.round_trip()
    assert "secret" not in str(raised.value)
    assert "Signature" not in str(raised.value)


def test_r2_without_settings_is_not_configured() -> None:
    assert r2.round_trip().state == CheckState.DISABLED


def test_two_failures_of_the_storage_probe_warn_and_three_are_critical() -> None:
    fails = True

    def look() -> Reading:
        if fails:
            raise ConnectionError("refused")
        return Reading({"storage.probe": 100})

    levels = []
    watched = module("r2", Probe("put", look), metrics=(Metric("storage.probe", "ms", "x", "storage.probe"),))
    with only(watched):
        for n in range(4):
            fails = n < 3
            collect_snapshot(NOON + n * MINUTE)
            found = {one.rule: one.level for one in judge(NOON + n * MINUTE)}
            levels.append(found["check.down"])
    assert levels == [Level.OK, Level.WARNING, Level.CRITICAL, Level.OK]


@contextmanager
def tls_server(folder: Path, *, days: int) -> Iterator[str]:
    """Run an https server whose certificate ends in so many days."""
    pem = write_certificate(folder, days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("days", "state"), [(90, "ok"), (5, "ok"), (-1, "failed")])
def test_the_days_of_a_certificate_are_counted_and_one_that_is_over_fails(
    days: int, state: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(tmp_path, days=days) as host:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        settings.STATUS_TLS_HOSTS = [host]
        read = certificates.days_left()
    assert read.state == state
    if state == "ok":
        assert days <= read.values["tls.days"][host] < days + 1  # type: ignore[index] # by target
    else:
        assert "expired" in read.note


def test_without_an_address_nothing_is_said_of_certificates(settings: Settings) -> None:
    settings.HEALTHPILOT_URL = "http://plain.example"
    assert certificates.days_left().state == CheckState.DISABLED
    settings.HEALTHPILOT_URL = "https://one.example"
    settings.STATUS_TLS_HOSTS = ["two.example:8443"]
    assert certificates.hosts() == ["one.example", "two.example:8443"]


def test_a_portal_is_visited_step_by_step(settings: Settings) -> None:
    circuits.clear()
    portals.client.cache_clear()
    with receiving("200", "302", "200", "500") as server:
        settings.HEALTHPILOT_URL = server.url
        steps = (portals.Step("/", holds="said"), portals.Step("/accounts/login/", status=302))
        well = portals.visit("portal_admin", steps)
        for minutes in (2, 1):
            at = timezone.now() - minutes * MINUTE
            ensure_partitions(at)
            down = {"portal.up": 0}
            Snapshot.objects.create(module="portal_admin", captured_at=at, state="critical", values=down)
        broken = portals.visit("portal_admin", steps)
    assert (well.state, well.values["portal.up"], well.values["portal.failed"]) == (CheckState.OK, 1, 0)
    assert (broken.state, broken.values["portal.failed"]) == (CheckState.FAILED, 1)
    assert "500" in broken.note
    assert portals.visit("portal_admin", (portals.Step("/no-such-page"),)).state == CheckState.DISABLED


def test_a_slow_page_is_no_outage(settings: Settings) -> None:
    assert [portals.client(portals.VISIT_S / steps).limit_s for steps in (1, 2)] == [4.4, 2.2]
    circuits.clear()
    portals.client.cache_clear()
    with receiving("slow") as server:
        settings.HEALTHPILOT_URL = server.url
        read = portals.visit("portal_marketing", (portals.Step("/", holds="said"),))
    assert (read.state, read.values["portal.up"]) == (CheckState.OK, 1)
    assert read.values["portal.first_byte"] > 1600  # type: ignore[operator] # one number


def test_time_in_maintenance_is_no_part_of_availability(settings: Settings) -> None:
    circuits.clear()
    portals.client.cache_clear()
    now = timezone.now()
    Maintenance.objects.create(rule="*", module="portal_admin", target="*", author="ada", reason="work",
                               starts_at=now - MINUTE, ends_at=now + MINUTE)  # fmt: skip
    with receiving("500") as server:
        settings.HEALTHPILOT_URL = server.url
        read = portals.visit("portal_admin", (portals.Step("/"),))
    assert (read.values["portal.checks"], read.values["portal.failed"]) == (0, 0)


def test_availability_is_the_share_of_thirty_days_and_the_last_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = timezone.now()
    for days in (29, 0):
        ensure_partitions(now - timedelta(days=days))
    rows: list[Any] = [(TenMinutes, timedelta(days=29), 10, 1), (TenMinutes, timedelta(days=31), 10, 10),
                       (TenMinutes, timedelta(hours=1), 9, 0), (Snapshot, timedelta(0), 1, 1)]  # fmt: skip
    assert portals.available("portal_admin").state == CheckState.DISABLED
    monkeypatch.setattr(portals, "FEWEST", 20)
    for model, back, checks, failed in rows:
        at = now - back
        if back == timedelta(days=31):
            ensure_partitions(at)
        model.objects.create(module="portal_admin", captured_at=at, state="ok",
                             values={"portal.checks": checks, "portal.failed": failed})  # fmt: skip
    read = portals.available("portal_admin")
    assert (read.values["portal.availability"], read.detail["checks"]) == (90.0, 20)
    assert portals.available("portal_customer").state == CheckState.DISABLED


def test_what_stands_on_a_failing_part_is_caused_by_it() -> None:
    def broken() -> Reading:
        raise ConnectionError("refused")

    parts = (
        module("postgres", probe({"a": 1})),
        module("redis", Probe("ping", broken)),
        module("workers", Probe("look", broken), depends_on=("postgres", "redis")),
        module("collector", Probe("look", broken), depends_on=("workers",)),
    )
    with only(*parts):
        collect_snapshot(NOON)
        causes = {one.module: one.caused_by for one in judge(NOON) if one.level != Level.OK}
    assert causes == {"redis": "", "workers": "redis", "collector": "redis"}
