"""One user's, domain's, model's or job type's cost per day, beside the period before."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from costs.charts.parts import (
    DAY_MS,
    Dict,
    Timeline,
    axis_room,
    date_axis,
    hatched,
    layout,
    mark_lines,
    money_ticks,
    padded,
    pixels,
    thinned,
    token,
    value_axis,
)
from healthpilot.web import numbers

if TYPE_CHECKING:
    from costs.marks import Mark

BAR_WIDTH = int(DAY_MS * 0.7)
SMALLEST = Decimal("0.000001")


def subject_history(
    timeline: Timeline, costs: Sequence[Decimal], before: Sequence[Decimal], *, marks: Sequence["Mark"] = ()
) -> Dict:
    """Return a bar a day, today hatched, and the days before as a dotted line behind them."""
    ticks, labels = money_ticks(max([*costs, *before, SMALLEST]))
    days = date_axis(timeline.dates, range=padded(timeline, tight=False))
    pointed = mark_lines(marks)
    complete = slice(None, timeline.complete)
    today = slice(timeline.complete, None)
    return {
        "data": [
            bars(timeline, costs, complete, {"color": token("link"), "cornerradius": 2}, "Cost"),
            bars(timeline, costs, today, hatched(), "Today so far"),
            *([earlier(timeline, before)] if before else []),
        ],
        "layout": layout(
            left=axis_room(labels), right=8, top=28 if marks else 12, xaxis=days,
            yaxis=value_axis(ticks, labels), shapes=pointed["shapes"], annotations=pointed["annotations"],
        ),
        "narrow": {"xaxis": thinned(days)},
    }  # fmt: skip


def bars(timeline: Timeline, costs: Sequence[Decimal], days: slice, marker: Dict, name: str) -> Dict:
    return {
        "type": "bar",
        "name": name,
        "x": timeline.texts[days],
        "y": [pixels(cost) for cost in costs[days]],
        "width": BAR_WIDTH,
        "customdata": [numbers.money(cost) for cost in costs[days]],
        "hovertemplate": "%{customdata}",
        "marker": marker,
        "meta": timeline.links[days],
    }


def earlier(timeline: Timeline, before: Sequence[Decimal]) -> Dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "The period before",
        "x": timeline.texts[: len(before)],
        "y": [pixels(cost) for cost in before],
        "customdata": [numbers.money(cost) for cost in before],
        "hovertemplate": "%{customdata}",
        "line": {"color": token("muted"), "width": 1.5, "dash": "dot"},
    }
