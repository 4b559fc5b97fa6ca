"""The month to date and where it will end, as running totals."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from costs.charts.parts import (
    Dict,
    annotation,
    axis_room,
    date_axis,
    layout,
    money_ticks,
    pixels,
    spread,
    thinned,
    token,
    value_axis,
)
from healthpilot.web import numbers

if TYPE_CHECKING:
    from costs.month import Month


def month_to_date(month: "Month") -> Dict:
    """Return the running total, the estimate with its band from there on, and the month before, dotted."""
    ahead = month.projection
    assert ahead is not None
    earlier = month.earlier[: len(month.days)]
    ticks, labels = money_ticks(max(ahead.most, *earlier, Decimal("0.000001")))
    done = [day for day in month.days if day < month.today]
    since = [*done[-1:], *ahead.days]
    start = month.done[-1:]
    days = date_axis(month.days)
    return {
        "data": [
            *([previous(month, earlier)] if month.previous_total else []),
            edge(since, [*start, *ahead.high]),
            edge(since, [*start, *ahead.low]) | {"fill": "tonexty", "fillcolor": token("info-line")},
            line("Estimate", since, [*start, *ahead.middle], "link", dash="dash"),
            line("Spent", done, month.done, "link"),
        ],
        "layout": layout(
            left=axis_room(labels),
            right=100,
            xaxis=days,
            yaxis=value_axis(ticks, labels),
            annotations=labels_at_the_end(month, earlier, ticks[-1]),
        ),
        "narrow": {"xaxis": thinned(days)},
    }


def edge(days: Sequence[date], amounts: Sequence[Decimal]) -> Dict:
    """Return one edge of the band: a line strong enough to be seen in both themes."""
    return line("Band", days, amounts, "info-line") | {"hoverinfo": "skip", "hovertemplate": None}


def line(
    name: str, days: Sequence[date], amounts: Sequence[Decimal], colour: str, *, dash: str = "solid"
) -> Dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [day.isoformat() for day in days],
        "y": [pixels(amount) for amount in amounts],
        "customdata": [numbers.money(amount) for amount in amounts],
        "hovertemplate": "%{customdata}",
        "line": {"color": token(colour), "width": 1.5 if colour == "info-line" else 2, "dash": dash},
    }


def previous(month: "Month", earlier: Sequence[Decimal]) -> Dict:
    """Return the month before, laid day by day over this one."""
    return line(month.previous_name, month.days[: len(earlier)], earlier, "control", dash="dot")


def labels_at_the_end(month: "Month", earlier: Sequence[Decimal], top: Decimal) -> list[Dict]:
    """Return where the lines end, in words: the estimate with its band, the month before."""
    ahead = month.projection
    assert ahead is not None
    ends = [(pixels(ahead.total / top), f"≈ {numbers.money_short(ahead.total)}", "link")]
    if month.previous_total:
        ends.append((pixels(earlier[-1] / top), month.previous_name, "muted"))
    ends.sort()
    places = spread([place for place, *_ in ends], 0.09, low=0.03, high=0.98)
    return [
        annotation(
            words,
            xref="paper",
            yref="paper",
            x=1,
            y=place,
            xshift=8,
            font={"color": token(colour), "weight": 500},
        )
        for place, (_, words, colour) in zip(places, ends, strict=True)
    ]
