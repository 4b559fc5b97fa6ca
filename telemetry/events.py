"""The two kinds of events: their columns, and one set of rules for record(), imports and the ingest API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from telemetry.cleaning import Clean, Row, compiled
from telemetry.fields import INT4_MAX, REQUIRED, Field, Flag, Instant, InvalidEvent, Text, Whole

__all__ = [
    "EVENT_KINDS",
    "JOB_COLUMNS",
    "LLM_COLUMNS",
    "EventKind",
    "InvalidEvent",
    "Row",
    "clean_job",
    "clean_llm",
]

# Bounds that no honest event reaches: ten years of time, 1,000 core-years of CPU, 10^12 rows.
# They keep the sums of a day within a bigint, so that one absurd event cannot stop a rollup.
TEN_YEARS_MS: Final = 10 * 366 * 86_400_000
CORE_MILLENNIUM_MS: Final = 1000 * 366 * 86_400_000
ROWS_MOST: Final = 10**12
MILLISECOND: Final = timedelta(milliseconds=1)

duration = Whole(most=TEN_YEARS_MS, default=None)
tokens = Whole(most=INT4_MAX, default=0, sql_type="int4")
rows = Whole(most=ROWS_MOST, default=0)

JOB_FIELDS: Final[Mapping[str, Field]] = {
    "job_id": Text(most=40, default=None, is_key=True),
    "job_type": Text(most=40),
    "user_id": Text(most=40, is_key=True),
    "tier": Text(most=16),
    "domain": Text(most=16),
    "queued_at": Instant(default=None),
    "started_at": Instant(default=None),
    "finished_at": Instant(default=None),
    "duration_ms": duration,
    "queue_wait_ms": duration,
    "success": Flag(),
    "error_code": Text(most=64, default=None),
    "attempt": Whole(least=1, most=INT4_MAX, default=1, sql_type="int4"),
    "rows_read": rows,
    "rows_written": rows,
    "cpu_ms": Whole(most=CORE_MILLENNIUM_MS, default=0),
    "mem_mb_peak": Whole(most=INT4_MAX, default=0, sql_type="int4"),
    "mem_is_process": Flag(default=False),
    "created_at": Instant(),
}
LLM_FIELDS: Final[Mapping[str, Field]] = {
    "user_id": Text(most=40, is_key=True),
    "tier": Text(most=16),
    "llm_model": Text(most=40),
    "context_type": Text(most=32),
    "input_tokens": Whole(most=INT4_MAX, sql_type="int4"),
    "output_tokens": Whole(most=INT4_MAX, sql_type="int4"),
    "cache_hit": Flag(default=False),
    "duration_ms": duration,
    "success": Flag(),
    "error_code": Text(most=64, default=None),
    "domain": Text(most=16, default="", may_be_empty=True),
    "provider": Text(most=32, default="", may_be_empty=True),
    "job_id": Text(most=40, default=None, is_key=True),
    "cached_input_tokens": tokens,
    "reasoning_tokens": tokens,
    "avoided_input_tokens": tokens,
    "avoided_output_tokens": tokens,
    "created_at": Instant(),
}
JOB_COLUMNS: Final = tuple(JOB_FIELDS)
LLM_COLUMNS: Final = tuple(LLM_FIELDS)


def derive_job(row: dict[str, Any]) -> None:
    """Fill what the given moments already tell: the duration, the wait and created_at."""
    started, finished = row["started_at"], row["finished_at"]
    if row["duration_ms"] is None and started and finished:
        row["duration_ms"] = (finished - started) // MILLISECOND
    if row["queue_wait_ms"] is None and started and row["queued_at"]:
        row["queue_wait_ms"] = (started - row["queued_at"]) // MILLISECOND
    if row["created_at"] is REQUIRED:
        if not finished and (not started or row["duration_ms"] is None):
            reason = "created_at is missing: give it, or finished_at, or started_at with duration_ms"
            raise InvalidEvent("created_at", reason)
        row["created_at"] = finished or started + row["duration_ms"] * MILLISECOND


def agree_job(row: dict[str, Any]) -> None:
    """Refuse moments that run backwards."""
    previous = None
    for name in ("queued_at", "started_at", "finished_at"):
        if (moment := row[name]) is not None:
            if previous is not None and moment < row[previous]:
                raise InvalidEvent(name, f"{name} is before {previous}, check both")
            previous = name


def derive_llm(row: dict[str, Any]) -> None:
    """Take a call for successful when it names no error."""
    if row["success"] is REQUIRED:
        row["success"] = row["error_code"] is None


def agree_llm(row: dict[str, Any]) -> None:
    """Refuse parts that are larger than their whole."""
    if row["cached_input_tokens"] > row["input_tokens"]:
        refuse_part(row, "cached_input_tokens", "input_tokens")
    if row["reasoning_tokens"] > row["output_tokens"]:
        refuse_part(row, "reasoning_tokens", "output_tokens")


def refuse_part(row: dict[str, Any], part: str, whole: str) -> None:
    """Raise InvalidEvent for a part that is larger than the whole it belongs to."""
    raise InvalidEvent(part, f"{part} is {row[part]}, more than {whole} ({row[whole]}), which include them")


clean_job: Final = compiled(JOB_FIELDS, derive_job, agree_job)
clean_llm: Final = compiled(LLM_FIELDS, derive_llm, agree_llm)


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event: its table, the fields of a row in order, and the cleaner that makes the row."""

    name: str
    table: str
    fields: Mapping[str, Field]
    clean: Clean
    columns: tuple[str, ...] = field(init=False)
    sql_types: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.fields))
        object.__setattr__(self, "sql_types", tuple(rule.sql_type for rule in self.fields.values()))


EVENT_KINDS: Final = {
    "job": EventKind("job", "telemetry_job_events", JOB_FIELDS, clean_job),
    "llm": EventKind("llm", "telemetry_llm_events", LLM_FIELDS, clean_llm),
}
