"""How the budgets of requests, Redis, services, portals and this machine are driven."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import redis

from systemstatus.grains import ensure_partitions
from systemstatus.models import TenMinutes
from systemstatus.probes import host, integrations, r2, web
from systemstatus.probes import redis as cache
from systemstatus.probes import visits as seen_by
from telemetry import flushing
from telemetry.histograms import Histogram
from telemetry.outbound.client import circuits
from tests.systemstatus.drives.drive import Row, World
from tests.systemstatus.probes.test_outside import tls_server


def counts(world: World, kind: str, *parts: str, calls: int, ms: float) -> None:
    """Have processes have counted calls in the minute before the pass."""
    histogram = Histogram()
    for _ in range(calls):
        histogram.add(ms)
    fields = list(flushing.fields_of(tuple(parts), histogram))
    with flushing.client() as broker:
        for name, amount in zip(fields[::2], fields[1::2], strict=True):
            broker.hset(f"hp:seen:{kind}:{minute_of(world) - 1}", name, amount)


def minute_of(world: World) -> int:
    return int(world.at.timestamp()) // 60


@contextmanager
def redis_clock(world: World) -> Iterator[None]:
    """Redis tells the minute of the pass."""
    for where in (web, integrations, seen_by, cache):
        world.patch.setattr(where, "redis_minute", lambda broker: minute_of(world))
    circuits.clear()
    yield


def requests(*latencies: float) -> Callable[[World, int], None]:
    """Return what serves thirty requests a minute, so fast at each level."""
    return lambda world, level: counts(world, "requests", "/x", "GET", "2xx", calls=30, ms=latencies[level])


def failing(calls: int, *failed: int) -> Callable[[World, int], None]:
    """Return what serves so many requests a minute, with so many failures at each level."""

    def make(world: World, level: int) -> None:
        counts(world, "requests", "/x", "GET", "2xx", calls=calls - failed[level], ms=9)
        if failed[level]:
            counts(world, "requests", "/x", "GET", "5xx", calls=failed[level], ms=9)

    return make


def raised(world: World, level: int) -> None:
    """Exceptions of one group that is known: per hour 0, some 30 and some 120."""
    with flushing.client() as broker:
        if count := (0, 5, 20)[level]:
            broker.hset(f"hp:seen:errors:{minute_of(world) - 1}", "cgroup", count)


def visits(metric: str, *levels: float) -> Callable[[World, int], None]:
    """Return what sixty visits tell before each pass; shifts in thousandths."""

    def make(world: World, level: int) -> None:
        counts(world, "vitals", "marketing", "lcp", calls=60, ms=9)  # without a paint it was no visit
        counts(world, "vitals", "marketing", metric, calls=60, ms=levels[level])

    return make


def calls_of(name: str, *latencies: float) -> Callable[[World, int], None]:
    return lambda world, level: counts(world, "outbound", name, "2xx", calls=5, ms=latencies[level])


def calls_failed(world: World, level: int) -> None:
    failed = (0, 1, 3)[level]
    counts(world, "outbound", "webhook", "2xx", calls=10 - failed, ms=9)
    if failed:
        counts(world, "outbound", "webhook", "5xx", calls=failed, ms=9)


@contextmanager
def configured(world: World) -> Iterator[None]:
    world.settings.ALERT_WEBHOOK_URL = world.settings.OPENAI_API_KEY = "https://one.example"
    with redis_clock(world):
        yield


@contextmanager
def full_memory(world: World) -> Iterator[None]:
    """A value so large that what else comes and goes makes no difference."""
    with flushing.client() as broker:
        broker.set("driven", "x" * 20_000_000)
        world.kept["broker"] = broker
        try:
            yield
        finally:
            broker.config_set("maxmemory", 0)
            broker.delete("driven")


def memory(world: World, level: int) -> None:
    broker = world.kept["broker"]
    broker.config_set("maxmemory", int(broker.info("memory")["used_memory"] / (0.5, 0.85, 0.95)[level]))


@contextmanager
def evicting(world: World) -> Iterator[None]:
    """A Redis that says how many keys it evicted so far."""
    world.kept["evicted"] = 0

    class Evicting(redis.Redis):
        def info(self, section: str | None = None, *args: str, **kwargs: Any) -> dict[str, Any]:
            return {**super().info(section, *args, **kwargs), "evicted_keys": world.kept["evicted"]}

    real = cache.client().connection_pool
    world.patch.setattr(cache, "client", lambda: Evicting(connection_pool=real))
    yield
    real.disconnect()


def evictions(world: World, level: int) -> None:
    world.kept["evicted"] += (0, 5, 5)[level]


def ticking(where: Any, *steps_s: float) -> Callable[[World, int], None]:
    """Return what has each look at a module's clock be so many seconds after the one before."""

    def make(world: World, level: int) -> None:
        def look() -> float:
            world.kept["ticks"] = world.kept.get("ticks", 0.0) + steps_s[level]
            return float(world.kept["ticks"])

        world.patch.setattr(where, "time", SimpleNamespace(perf_counter=look))

    return make


def hits(world: World, level: int) -> None:
    """Look up a hundred things in the cache, some of which are there."""
    missed = (2, 30, 80)[level]
    counts(world, "cache", "hit", calls=100 - missed, ms=0)
    counts(world, "cache", "miss", calls=missed, ms=0)


class Shelf(http.server.BaseHTTPRequestHandler):
    """Keeps the one object that is put, as S3 would."""

    kept = b""

    def do_PUT(self) -> None:
        Shelf.kept = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"")

    def do_GET(self) -> None:
        self.answer(Shelf.kept)

    def do_DELETE(self) -> None:
        self.answer(b"")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def shelf(world: World) -> Iterator[None]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    world.settings.R2_ENDPOINT_URL = f"http://127.0.0.1:{server.server_port}"
    world.settings.R2_BUCKET, world.settings.R2_ACCESS_KEY_ID = "files", "key"
    world.settings.R2_SECRET_ACCESS_KEY = "secret"
    r2.client.cache_clear()
    circuits.clear()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        r2.client.cache_clear()
        circuits.clear()


@contextmanager
def certificates(world: World) -> Iterator[None]:
    """Servers whose certificates end in 90, 14 and 3 days."""
    with ExitStack() as stack:
        world.kept["hosts"] = []
        for days in (90, 14, 3):
            folder = world.folder / str(days)
            folder.mkdir()
            world.kept["hosts"].append((folder, stack.enter_context(tls_server(folder, days=days))))
        yield


def certificate(world: World, level: int) -> None:
    folder, name = world.kept["hosts"][level]
    world.patch.setenv("SSL_CERT_FILE", str(folder / "cert.pem"))
    world.settings.STATUS_TLS_HOSTS = [name]
    world.kept["real"] = name


def month(world: World, level: int) -> None:
    """Leave a month of checks, so many of them failed."""
    at = world.at - timedelta(days=2)
    ensure_partitions(at)
    TenMinutes.objects.all().delete()
    values = {"portal.checks": 10_000, "portal.failed": (1, 30, 100)[level]}
    TenMinutes.objects.create(module="portal_admin", captured_at=at, state="ok", values=values)


def disk(world: World, level: int) -> None:
    used = (40, 75, 95)[level]
    usage = SimpleNamespace(used=used, free=100 - used, total=100)
    world.patch.setattr(host, "shutil", SimpleNamespace(disk_usage=lambda folder: usage))


CAPPED = ("", "warning", "warning")  # what is not core is a warning at most
ROWS = (
    Row("api.p50", "web", ("requests",), requests(50, 280, 600), redis_clock),
    Row("api.p95", "web", ("requests",), requests(50, 700, 1600), redis_clock),
    Row("api.p99", "web", ("requests",), requests(50, 1700, 4000), redis_clock),
    Row("api.errors", "web", ("requests",), failing(100, 0, 3, 20), redis_clock),
    Row("api.burn", "web", ("requests",), failing(1000, 0, 9, 200), redis_clock, step_min=10),
    Row("api.exceptions", "web", ("exceptions",), raised, redis_clock),
    Row("cache.memory", "redis", ("state",), memory, full_memory),
    Row("cache.evictions", "redis", ("state",), evictions, evicting, told=("", "critical", "critical")),
    Row("cache.rtt", "redis", ("round_trip",), ticking(cache, 0.001, 0.011, 0.051)),
    Row("cache.hit", "redis", ("state",), hits, redis_clock),
    Row("storage.probe", "r2", ("put get delete",), ticking(r2, 0.02, 0.4, 1.1), shelf, told=CAPPED),
    Row("integration.p95", "webhook", ("calls",), calls_of("webhook", 50, 1400, 4000), configured,
        told=CAPPED),
    Row("integration.p95", "openai", ("calls",), calls_of("openai", 4000, 14_000, 40_000), configured,
        told=CAPPED, name="openai"),
    Row("integration.failures", "webhook", ("calls",), calls_failed, configured, told=CAPPED),
    Row("tls.days", "certificates", ("days left",), certificate, certificates, told=CAPPED, step_min=60),
    *(
        Row(f"portal.{name}", "portal_marketing", ("visits",), visits(name, *levels), redis_clock)
        for name, levels in (
            ("ttfb", (300, 900, 1900)), ("lcp", (1000, 2600, 4100)), ("inp", (90, 210, 530)),
            ("cls", (20, 110, 260)),
        )
    ),
    Row("portal.availability", "portal_admin", ("availability",), month, step_min=10),
    Row("host.disk", "host", ("disk",), disk),
)  # fmt: skip
