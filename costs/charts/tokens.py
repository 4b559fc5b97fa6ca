"""LLM tokens and cache hit-rate per day."""

from collections.abc import Sequence
from decimal import Decimal

from costs.charts.parts import (
    FEWEST_FOR_AN_AREA,
    Dict,
    Timeline,
    annotation,
    axis_room,
    count_ticks,
    date_axis,
    layout,
    padded,
    pixels,
    spread,
    thinned,
    token,
    value_axis,
)
from costs.queries import Day
from healthpilot.web import numbers

LEAST_RATE = Decimal(10)


def tokens_and_hits(timeline: Timeline, rows: Sequence[Day]) -> Dict:
    """Return tokens in and out per day above the cache hit-rate, on one time axis; today is an open point."""
    rates = [numbers.share(row.cache_hits, row.ai_calls) for row in rows]
    sent, received = [row.tokens_in for row in rows], [row.tokens_out for row in rows]
    ticks, labels = count_ticks(max([*sent, *received, 1]), most=3)
    rate_ticks = numbers.axis_ticks(max([LEAST_RATE, *(rate for rate in rates if rate is not None)]), most=2)
    rate_labels = [f"{numbers.plain(tick)}{numbers.NARROW_SPACE}%" for tick in rate_ticks]
    left = axis_room([*labels, *rate_labels])
    days = date_axis(
        timeline.dates, range=padded(timeline, tight=timeline.complete >= FEWEST_FOR_AN_AREA), anchor="y2"
    )
    return {
        "data": [
            *series(timeline, "Input", sent, list(map(numbers.count, sent)), "y", "link", "solid"),
            *series(timeline, "Output", received, list(map(numbers.count, received)), "y", "muted", "dash"),
            *series(timeline, "Cache hit-rate", rates, [*map(numbers.percent, rates)], "y2", "ok", "solid"),
        ],
        "layout": layout(
            left=left, right=64, top=26, xaxis=days,
            yaxis=value_axis(ticks, labels, domain=[0.5, 1]),
            yaxis2=value_axis(rate_ticks, rate_labels, domain=[0, 0.3]),
            annotations=[
                annotation("Tokens per day", xref="paper", yref="paper", x=0, y=1, xshift=-left, yshift=16),
                annotation("Cache hit-rate", xref="paper", yref="paper", x=0, y=0.3, xshift=-left, yshift=16),
                *end_labels(timeline, sent, received, rates, ticks[-1], rate_ticks[-1]),
            ],
        ),
        "narrow": {"xaxis": thinned(days)},
    }  # fmt: skip


def series(
    timeline: Timeline,
    name: str,
    values: Sequence[Decimal | int | None],
    texts: Sequence[str],
    axis: str,
    colour: str,
    dash: str,
) -> list[Dict]:
    """Return a line over the complete days and, for today, an open point that no line leads to."""
    few = timeline.complete < FEWEST_FOR_AN_AREA
    common = {"type": "scatter", "name": name, "yaxis": axis, "hovertemplate": "%{customdata}"}
    complete, today = slice(None, timeline.complete), slice(timeline.complete, None)
    places = [None if value is None else pixels(value) for value in values]
    return [
        common | {
            "mode": "lines+markers" if few else "lines", "x": timeline.texts[complete], "y": places[complete],
            "customdata": list(texts[complete]), "line": {"color": token(colour), "width": 2, "dash": dash},
            "marker": {"color": token(colour), "size": 7}, "meta": timeline.links[complete],
        },
        common | {
            "mode": "markers", "x": timeline.texts[today], "y": places[today],
            "customdata": list(texts[today]), "cliponaxis": False,
            "marker": {"symbol": "circle-open", "color": token(colour), "size": 7, "line": {"width": 1.5}},
            "name": f"{name}, today so far", "meta": timeline.links[today],
        },
    ]  # fmt: skip


def end_labels(
    timeline: Timeline,
    sent: Sequence[int],
    received: Sequence[int],
    rates: Sequence[Decimal | None],
    top: Decimal,
    top_rate: Decimal,
) -> list[Dict]:
    """Return what each line is, written where it ends."""
    last = max(0, timeline.complete - 1)
    low, high = sorted([(received[last], "Output", "muted"), (sent[last], "Input", "link")])
    places = spread([0.5 + pixels(value / top) / 2 for value, *_ in (low, high)], 0.075, low=0.5, high=1.0)
    named = [(label, colour, place) for (_, label, colour), place in zip((low, high), places, strict=True)]
    rate = rates[last]
    if rate is not None:
        named.append((numbers.percent(rate, 0), "ok", max(0.02, pixels(rate / top_rate * Decimal("0.3")))))
    return [
        annotation(
            label,
            xref="paper",
            yref="paper",
            x=1,
            y=place,
            xshift=8,
            font={"color": token(colour), "weight": 500},
        )
        for label, colour, place in named
    ]
