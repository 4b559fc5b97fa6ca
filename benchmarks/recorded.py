"""A call as an application records it, and the OpenTelemetry span that stands for the peer."""

import time
from collections.abc import Callable
from typing import Any, Final

from django.db import connection
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from benchmarks.database import empty
from telemetry.record import flush, record_llm_event

EVENT: Final[dict[str, Any]] = {
    "user_id": "usr_7kq2h9",
    "tier": "pro",
    "domain": "reports",
    "llm_model": "gpt-4o-mini",
    "context_type": "summary",
    "input_tokens": 1200,
    "cached_input_tokens": 1024,
    "output_tokens": 180,
    "duration_ms": 900,
    "success": True,
}
ATTRIBUTES: Final = {name: EVENT[name] for name in list(EVENT)[:8]}
PATIENCE_S: Final = 120.0


class NoExport(SpanExporter):
    """An exporter that takes spans and does nothing: what a span costs without any way out."""

    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


class Spans:
    """OpenTelemetry's SDK with a batch processor that loses nothing while it is measured."""

    def __init__(self, calls: int) -> None:
        self.provider = TracerProvider()
        self.provider.add_span_processor(BatchSpanProcessor(NoExport(), max_queue_size=2 * calls))
        self.tracer = self.provider.get_tracer("benchmarks")

    def record(self, calls: int) -> None:
        """Make spans with eight attributes each."""
        for _ in range(calls):
            with self.tracer.start_as_current_span("llm.call", attributes=ATTRIBUTES):
                pass

    def drain(self) -> None:
        """Wait until every span was handed to the exporter."""
        self.provider.force_flush(int(PATIENCE_S * 1000))


def record(calls: int) -> None:
    """Record calls; each is durable when its turn is over."""
    for _ in range(calls):
        assert record_llm_event(EVENT)


def ship() -> None:
    """Wait until every recorded call is in PostgreSQL."""
    assert flush(PATIENCE_S), "not everything was shipped in time"


def per_call_us(seconds: float, calls: int) -> str:
    """Return a run's time as that of one call."""
    return f"{seconds / calls * 1e6:.1f} µs"


def clear() -> None:
    """Leave no event behind."""
    ship()
    empty("telemetry_llm_events", "telemetry_shipments")
    connection.close()


def timed(work: Callable[[], None]) -> float:
    """Return how long the work takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
