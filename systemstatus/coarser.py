"""Fills the coarser grains: ten minutes from minutes, an hour from ten minutes, once each span is over."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max

from systemstatus.collector import WORST_FIRST
from systemstatus.grains import HOURS, MINUTES, TENS, Grain
from systemstatus.models import ModuleState, Seen
from systemstatus.thresholds import BY_ID
from systemstatus.windows import ADDED

# How far back a span is filled that was missed, by the grain that it is made of; and spans at a time.
REACH: Final = {TENS.minutes: timedelta(hours=46), HOURS.minutes: timedelta(days=29)}
MOST_SPANS: Final = 12


def fill(now: datetime) -> int:
    """Fill the spans that are over and not filled yet, some at a time; returns the rows written.

    Safe at any time and side by side: a span that is filled twice gets the same rows.
    """
    return sum(fill_span(finer, grain, start) for finer, grain in ((MINUTES, TENS), (TENS, HOURS))
               for start in missing(finer, grain, now))  # fmt: skip


def missing(finer: Grain, grain: Grain, now: datetime) -> Iterator[datetime]:
    """Yield the beginnings of spans that are over and have no row, the oldest first."""
    model, source = rows_of(grain), rows_of(finer)
    current = grain.bucket(now)
    since = current - REACH[grain.minutes]
    filled = model.filter(captured_at__gte=since, captured_at__lt=current).aggregate(last=Max("captured_at"))
    begin = filled["last"] + timedelta(minutes=grain.minutes) if filled["last"] else since
    spans = 0
    while begin < current and spans < MOST_SPANS:
        first = source.filter(captured_at__gte=begin, captured_at__lt=current).order_by("captured_at").first()
        if first is None:
            return
        begin = grain.bucket(first.captured_at)
        yield begin
        begin, spans = begin + timedelta(minutes=grain.minutes), spans + 1


def rows_of(grain: Grain) -> Any:
    model: Any = grain.model
    return model.objects


def fill_span(finer: Grain, grain: Grain, start: datetime) -> int:
    """Write one span's rows."""
    model: Any = grain.model
    end = start + timedelta(minutes=grain.minutes)
    by_module: dict[str, list[Seen]] = {}
    for row in rows_of(finer).filter(captured_at__gte=start, captured_at__lt=end).order_by("captured_at"):
        by_module.setdefault(row.module, []).append(row)
    made = [model(captured_at=start, **merged(rows)) for rows in by_module.values()]
    fields = ["state", "values", "worst", "detail", "checks", "took_ms", "error"]
    model.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["module", "captured_at"], update_fields=fields
    )
    return len(made)


def merged(rows: Sequence[Seen]) -> dict[str, Any]:
    """Return one row's facts from a module's rows of a span, the oldest first.

    Counts of single minutes are added up, what else was measured is the last; the worst stands beside it.
    """
    last = rows[-1]
    bad = min(rows, key=lambda row: WORST_FIRST.index(ModuleState(row.state)))
    values: dict[str, Any] = {}
    for row in rows:
        values |= {name: value for name, value in row.values.items() if name not in ADDED}
    for name in ADDED:
        if counts := [row.values[name] for row in rows if name in row.values]:
            values[name] = total(counts)
    return {
        "module": last.module,
        "state": bad.state,
        "values": values,
        "worst": worst_of(rows),
        "detail": last.detail,
        "checks": last.checks,
        "took_ms": max(row.took_ms for row in rows),
        "error": bad.error,
    }


def total(counts: Sequence[Any]) -> Any:
    """Return the sum of numbers, or of numbers by target."""
    if not isinstance(counts[0], Mapping):
        return sum(counts)
    names = {name for one in counts for name in one}
    return {name: sum(one.get(name, 0) for one in counts) for name in sorted(names)}


def worst_of(rows: Sequence[Seen]) -> dict[str, Any]:
    """Return the worst value of each budget's figure, by target where it has several."""
    found: dict[str, Any] = {}
    for row in rows:
        for name, value in (row.values | row.worst).items():
            if name in BY_ID:
                found[name] = worse(found[name], value, below=BY_ID[name].below) if name in found else value
    return found


def worse(one: Any, other: Any, *, below: bool) -> Any:
    """Return the worse of two values; of values by target, each target's."""
    pick = min if below else max
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        both = {name: pick(one[name], other[name]) for name in one.keys() & other.keys()}
        return dict(one) | dict(other) | both
    if isinstance(one, Mapping) or isinstance(other, Mapping):
        return other
    return pick(one, other)
