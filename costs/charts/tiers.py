"""Cost per day stacked by tier."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from costs.bands import OTHER, Band
from costs.charts.parts import (
    DAY_MS,
    FEWEST_FOR_AN_AREA,
    Dict,
    Timeline,
    annotation,
    axis_room,
    date_axis,
    hatched,
    label_text,
    layout,
    mark_lines,
    money_ticks,
    padded,
    pixels,
    spread,
    thinned,
    token,
    value_axis,
)
from healthpilot.web import numbers

if TYPE_CHECKING:
    from costs.marks import Mark

ZERO = Decimal(0)
BAR_WIDTH = int(DAY_MS * 0.6)
PATTERNS = {"1": "", "2": "/", "3": ".", OTHER: "-"}


def cost_by_tier(
    timeline: Timeline,
    bands: Sequence[Band],
    *,
    marks: Sequence["Mark"] = (),
    tier_links: Mapping[str, str] | None = None,
) -> Dict:
    """Return cost per day stacked by tier: an area, or bars where too few days have a cost.

    Args:
        marks: days to point at.
        tier_links: by the style of a band the address behind its label.
    """
    totals = [sum(values, ZERO) for values in zip(*(band.values for band in bands), strict=True)]
    ticks, labels = money_ticks(max(totals))
    draws_area = sum(1 for total in totals[: timeline.complete] if total) >= FEWEST_FOR_AN_AREA
    traces = area_traces(timeline, bands) if draws_area else bar_traces(timeline, bands)
    pointed = mark_lines(marks)
    wide, narrow = (
        [
            *band_labels(timeline, bands, ticks[-1], amounts=amounts, links=tier_links or {}),
            *pointed["annotations"],
        ]
        for amounts in (True, False)
    )
    top = 28 if marks else 12
    days = date_axis(timeline.dates, range=padded(timeline, tight=draws_area))
    return {
        "data": [*traces, total_trace(timeline, totals), *today_trace(timeline, totals)],
        "layout": layout(
            left=axis_room(labels),
            right=104,
            top=top,
            shapes=pointed["shapes"],
            barmode="stack",
            xaxis=days,
            yaxis=value_axis(ticks, labels),
            annotations=wide,
        ),
        "narrow": {
            "margin": {"l": axis_room(labels), "r": 84, "t": top, "b": 28, "pad": 0},
            "annotations": narrow,
            "xaxis": thinned(days),
        },
    }


def area_traces(timeline: Timeline, bands: Sequence[Band]) -> list[Dict]:
    """Return each band as an area, then on each boundary a surface-coloured stroke under its own edge."""
    days = timeline.texts[: timeline.complete]
    values = [band.values[: timeline.complete] for band in bands]
    fills = [area(days, band, amounts) for band, amounts in zip(bands, values, strict=True)]
    edges: list[Dict] = []
    height = [ZERO] * len(days)
    for band, amounts in zip(bands, values, strict=True):
        height = [below + amount for below, amount in zip(height, amounts, strict=True)]
        edges += [
            line(days, height, token("surface"), 5.5),
            line(days, height, token(f"tier-{band.style}"), 2),
        ]
    return [*fills, *edges]


def area(days: Sequence[str], band: Band, amounts: Sequence[Decimal]) -> Dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label_text(band.label),
        "x": list(days),
        "y": [pixels(amount) for amount in amounts],
        "customdata": [numbers.money(amount) for amount in amounts],
        "hovertemplate": "%{customdata}",
        "stackgroup": "tiers",
        "line": {"width": 0, "color": token(f"tier-{band.style}")},
        "fillcolor": token(f"tier-{band.style}-fill"),
        "fillpattern": pattern(band.style),
    }


def pattern(style: str) -> Dict:
    """Return a quiet tint with a thin pattern on it; the strong line is the edge above."""
    return {
        "shape": PATTERNS[style],
        "fillmode": "replace",
        "bgcolor": token(f"tier-{style}-fill"),
        "fgcolor": token(f"tier-{style}-ink"),
        "fgopacity": 1,
        "size": 9 if style == "2" else 6,
        "solidity": 0.14 if style == "2" else 0.18,
    }


def line(days: Sequence[str], heights: Sequence[Decimal], colour: str, width: float) -> Dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(days),
        "y": [pixels(height) for height in heights],
        "line": {"color": colour, "width": width},
        "hoverinfo": "skip",
    }


def bar_traces(timeline: Timeline, bands: Sequence[Band]) -> list[Dict]:
    """Return stacked bars of the complete days."""
    return [
        {
            "type": "bar",
            "name": label_text(band.label),
            "x": timeline.texts[: timeline.complete],
            "y": [pixels(amount) if amount else None for amount in band.values[: timeline.complete]],
            "width": BAR_WIDTH,
            "customdata": [numbers.money(amount) for amount in band.values],
            "hovertemplate": "%{customdata}",
            "marker": {
                "color": token(f"tier-{band.style}-fill"),
                "pattern": pattern(band.style),
                "line": {"color": token(f"tier-{band.style}"), "width": 1.5},
            },
        }
        for band in bands
    ]


def total_trace(timeline: Timeline, totals: Sequence[Decimal]) -> Dict:
    """Return an unseen line for the day's total in the hover label, and for the link behind the day."""
    return line(timeline.texts[: timeline.complete], totals[: timeline.complete], "rgba(0,0,0,0)", 0) | {
        "name": "Total",
        "customdata": [numbers.money(total) for total in totals],
        "hovertemplate": "%{customdata}",
        "hoverinfo": "all",
        "meta": timeline.links[: timeline.complete],
    }


def today_trace(timeline: Timeline, totals: Sequence[Decimal]) -> list[Dict]:
    """Return today as a hatched bar beside the area: it is not over, so nothing joins it."""
    return [
        {
            "type": "bar",
            "name": "Today so far",
            "meta": timeline.links[timeline.complete :],
            "x": [day.isoformat()],
            "y": [pixels(total)],
            "width": BAR_WIDTH,
            "customdata": [numbers.money(total)],
            "hovertemplate": "%{customdata}",
            "marker": hatched(),
        }
        for day, total in zip(timeline.dates[timeline.complete :], totals[timeline.complete :], strict=True)
    ]


def band_labels(
    timeline: Timeline, bands: Sequence[Band], top: Decimal, *, amounts: bool, links: Mapping[str, str]
) -> list[Dict]:
    """Return a label at the right end of each band: mark, name and, where there is room, the total."""
    last = max(0, timeline.complete - 1)
    middles, below = [], ZERO
    for band in bands:
        middles.append(pixels((below + band.values[last] / 2) / top))
        below += band.values[last]
    places = spread(middles, 0.15 if amounts else 0.09, low=0.05, high=0.97)
    return [
        part
        for band, place in zip(bands, places, strict=True)
        for part in band_label(band, place, amounts=amounts, link=links.get(band.style))
    ]


def band_label(band: Band, place: float, *, amounts: bool, link: str | None) -> list[Dict]:
    at = {"xref": "paper", "yref": "paper", "x": 1, "y": place}
    behind = {"captureevents": True, "name": link} if link else {}
    name = {"color": token("text"), "weight": 500}
    parts = [
        annotation(
            band.mark,
            **at,
            xshift=6,
            yshift=7 if amounts else 0,
            font={"color": token(f"tier-{band.style}"), "size": 11},
        ),
        annotation(label_text(band.label), **at, **behind, xshift=20, yshift=7 if amounts else 0, font=name),
    ]
    if amounts:
        parts.append(annotation(numbers.money_short(band.total), **at, xshift=20, yshift=-8))
    return parts
