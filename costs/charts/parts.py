"""What every figure is made of: layout, axes, labels, as plain dicts; colours are names of CSS tokens."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

from healthpilot.web import numbers

if TYPE_CHECKING:
    from costs.marks import Mark

Dict = dict[str, Any]

DAY_MS = 86_400_000
LABEL_COLUMNS = 18
FEWEST_FOR_AN_AREA = 3


@dataclass(frozen=True)
class Timeline:
    """The days of a figure, and how many of them from the first are complete; only today can be missing.

    links are the addresses behind the points, one a day; a click follows the same link as the table's row.
    """

    dates: list[date]
    complete: int
    links: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [day.isoformat() for day in self.dates]


def token(name: str) -> str:
    """Return a colour by the name of its CSS token; charts.js puts in what the token says now."""
    return f"token:{name}"


def pixels(value: Decimal | int) -> float:
    """Return where to draw a value: what is read is written from the exact figure."""
    return float(value)


def shortened(text: str, columns: int = LABEL_COLUMNS) -> str:
    """Return a text cut to so many columns, wide characters counted as two."""
    width = 0
    for index, character in enumerate(text):
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > columns:
            return text[:index].rstrip() + "…"
    return text


def label_text(text: str, columns: int = LABEL_COLUMNS) -> str:
    """Return a recorded text for a label: short, and escaped, since Plotly reads a little HTML."""
    printable = "".join(
        " " if unicodedata.category(character).startswith("C") else character for character in text
    )
    return escape(shortened(printable, columns), quote=False)


def layout(*, left: int, right: int, top: int = 12, bottom: int = 28, **more: Any) -> Dict:
    """Return the layout that all figures share; margins in pixels."""
    return {
        "paper_bgcolor": token("surface"),
        "plot_bgcolor": token("surface"),
        "margin": {"l": left, "r": right, "t": top, "b": bottom, "pad": 0},
        "font": {"color": token("muted")},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "x unified",
        "hoverdistance": 60,
        "hoverlabel": {
            "bgcolor": token("raised"),
            "bordercolor": token("divider"),
            "font": {"color": token("text"), "size": 12},
            "align": "left",
        },
        **more,
    }


def date_axis(dates: Sequence[date], **more: Any) -> Dict:
    """Return a time axis whose ticks are days, the last of them always labelled."""
    return {
        "type": "date",
        "range": [f"{min(dates)}T00:00:00", f"{max(dates)}T00:00:00"],
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "showline": True,
        "linecolor": token("divider"),
        "tickmode": "array",
        "tickvals": [day.isoformat() for day in tick_dates(dates, 5)],
        "ticktext": [f"{day.day} {day:%b}" for day in tick_dates(dates, 5)],
        "unifiedhovertitle": {"text": "%{x|%a %-d %b %Y}"},
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikedash": "dot",
        "spikecolor": token("control"),
        **more,
    }


def tick_dates(dates: Sequence[date], most: int) -> list[date]:
    """Return at most so many days evenly spread, the last always among them."""
    step = -(-len(dates) // most)
    return list(reversed(list(reversed(dates))[::step]))


def value_axis(ticks: Sequence[Decimal], labels: Sequence[str], **more: Any) -> Dict:
    return {
        "range": [0, pixels(ticks[-1])],
        "fixedrange": True,
        "tickmode": "array",
        "tickvals": [pixels(tick) for tick in ticks],
        "ticktext": list(labels),
        "ticks": "outside",
        "ticklen": 6,
        "tickcolor": "rgba(0,0,0,0)",
        "gridcolor": token("hairline"),
        "zeroline": False,
        **more,
    }


def money_ticks(highest: Decimal) -> tuple[list[Decimal], list[str]]:
    ticks = numbers.axis_ticks(highest)
    places = numbers.axis_places(ticks)
    places = 2 if places == 1 else places
    return ticks, [f"${numbers.grouped(tick, places)}" if tick else "$0" for tick in ticks]


def count_ticks(highest: int, *, most: int = 5) -> tuple[list[Decimal], list[str]]:
    ticks = [tick for tick in numbers.axis_ticks(Decimal(highest), most=most) if tick == int(tick)]
    return ticks, [scaled(tick) for tick in ticks]


def scaled(tick: Decimal) -> str:
    """Return a round count as an axis says it: 1.5 M, 20 k, 500."""
    for size, name in numbers.SCALES:
        if tick >= size:
            return f"{numbers.plain(tick / size)}{numbers.NARROW_SPACE}{name}"
    return numbers.plain(tick)


def annotation(text: str, **more: Any) -> Dict:
    return {
        "text": text,
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "middle",
        "align": "left",
        "borderpad": 0,
        "borderwidth": 0,
        **more,
    }


def mark_lines(marks: Sequence["Mark"]) -> Dict:
    """Return layout parts that point at days: a dashed line each, and its letter above the plot."""
    return {
        "shapes": [
            {
                "type": "line", "xref": "x", "yref": "paper", "y0": 0, "y1": 1,
                "x0": mark.on.isoformat(), "x1": mark.on.isoformat(),
                "line": {"color": token("muted"), "width": 1, "dash": "dash"},
            }
            for mark in marks
        ],
        "annotations": [
            annotation(
                mark.letter, xref="x", yref="paper", x=mark.on.isoformat(), y=1, yshift=9, xanchor="center",
                bgcolor=token("raised"), bordercolor=token("control"), borderwidth=1, borderpad=2,
                font={"color": token("text"), "size": 10},
            )
            for mark in marks
        ],
    }  # fmt: skip


def hatched() -> Dict:
    """Return how a day that is not over looks."""
    surface, control = token("surface"), token("control")
    return {
        "color": surface,
        "pattern": {"shape": "/", "fgcolor": control, "bgcolor": surface, "size": 5, "solidity": 0.2},
        "line": {"color": control, "width": 1},
    }


def spread(places: Sequence[float], gap: float, *, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Return ascending places moved apart until each pair keeps the gap, between low and high."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap if moved else low))
    ceiling = high
    for index in reversed(range(len(moved))):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - gap
    return moved


def axis_room(labels: Sequence[str]) -> int:
    """Return the pixels that the longest label of an axis needs."""
    return 14 + 7 * max(map(len, labels))


def thinned(axis: Dict) -> Dict:
    """Return the axis with every other label, from the last one back, for a narrow plot."""
    return axis | {name: list(reversed(axis[name][::-1][::2])) for name in ("tickvals", "ticktext")}


def padded(timeline: Timeline, *, tight: bool) -> list[str]:
    """Return the axis ends: bars need half a day on both sides, an area only where today's bar stands."""
    first, last = timeline.dates[0], timeline.dates[-1]
    lower = f"{first}T00:00:00" if tight else f"{date.fromordinal(first.toordinal() - 1)}T12:00:00"
    upper = f"{last}T00:00:00" if tight and timeline.complete == len(timeline.dates) else f"{last}T12:00:00"
    return [lower, upper]
