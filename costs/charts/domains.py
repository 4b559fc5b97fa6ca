"""Jobs and queue wait by domain."""

from collections.abc import Sequence

from costs.charts.parts import Dict, annotation, label_text, layout, token
from costs.queries import DomainRow
from healthpilot.web import numbers

DOMAIN_SLOTS = 6
WIDE_COLUMNS, NARROW_COLUMNS = 16, 10


def jobs_by_domain(rows: Sequence[DomainRow], *, links: Sequence[str] = ()) -> Dict:
    """Return bars side by side, jobs and the queue wait that 95 % stay under, each named above its bar.

    links are the addresses behind the bars, in the order of the rows.
    """
    slots = max(len(rows), DOMAIN_SLOTS)
    places = [slots - index - 1 for index in range(len(rows))]
    most_jobs = max((row.jobs for row in rows), default=0) or 1
    longest = max((row.wait_p95_ms or 0 for row in rows), default=0) or 1
    captions = [
        annotation("Jobs", xref="paper", yref="paper", x=0, y=1, yshift=12),
        annotation("Queue wait p95", xref="paper", yref="paper", x=0.6, y=1, yshift=12),
    ]
    wide, narrow = (
        [
            part
            for row, place in zip(rows, places, strict=True)
            for part in domain_labels(row, place, columns=columns)
        ]
        for columns in (WIDE_COLUMNS, NARROW_COLUMNS)
    )
    return {
        "data": [
            domain_bars(places, [row.jobs for row in rows], "x", "link", links),
            domain_bars(places, [row.wait_p95_ms or 0 for row in rows], "x2", "control", links),
        ],
        "layout": layout(
            left=0, right=0, top=24, bottom=0, hovermode="closest",
            xaxis=hidden_axis([0, 0.54], most_jobs),
            xaxis2=hidden_axis([0.6, 1], longest),
            yaxis={"visible": False, "fixedrange": True, "range": [-0.5, slots - 0.5]},
            annotations=[*captions, *wide],
        ),
        "narrow": {"annotations": [*captions, *narrow]},
    }  # fmt: skip


def hidden_axis(domain: list[float], most: int) -> Dict:
    return {"domain": domain, "range": [0, most], "visible": False, "fixedrange": True}


def domain_bars(
    places: Sequence[int], values: Sequence[int], axis: str, colour: str, links: Sequence[str]
) -> Dict:
    return {
        "type": "bar",
        "orientation": "h",
        "y": [place - 0.18 for place in places],
        "x": list(values),
        "xaxis": axis,
        "width": 0.2,
        "marker": {"color": token(colour), "cornerradius": 3},
        "hoverinfo": "none",
        "meta": list(links),
    }


def domain_labels(row: DomainRow, place: int, *, columns: int) -> list[Dict]:
    at = {"yref": "y", "y": place + 0.18, "xref": "paper"}
    strong = {"color": token("text"), "weight": 500}
    return [
        annotation(label_text(row.domain or "No domain", columns), **at, x=0, font=strong),
        annotation(numbers.compact(row.jobs), **at | {"x": 0.54}, xanchor="right"),
        annotation(numbers.duration(row.wait_p95_ms), **at | {"x": 0.6}, font=strong),
    ]
