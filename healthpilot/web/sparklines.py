"""Sparklines as inline SVG: paths and attributes only, no styles, no script."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

HEIGHT = 36
PAD = 3

Value = Decimal | int | None
# Places in a picture, to a hundredth of a per cent; no figure is read from them.
Point = tuple[float, float]


def drawing(
    values: Sequence[Value], previous: Sequence[Value] = (), *, last_is_open: bool = False
) -> SafeString:
    """Return an SVG of one value a day; None is a gap, a day that is not over is dashed."""
    if not any(values):
        return NOTHING
    highest = max(float(value) for value in (*values, *previous) if value is not None)
    points = placed(values, highest)
    closed = points[:-1] if last_is_open else points
    return format_html(
        '<svg class="spark" aria-hidden="true" focusable="false">'
        '<svg viewBox="0 0 100 36" preserveAspectRatio="none" width="100%" height="100%" overflow="visible">'
        "{}{}{}{}</svg>"
        "{}</svg>",
        area(closed),
        lines("pv", placed(previous, highest)),
        lines("ln", closed),
        lines("so", points[-2:]) if last_is_open else "",
        dot(points[-1], is_open=last_is_open),
    )


def placed(values: Sequence[Value], highest: float) -> list[Point | None]:
    """Return where each value lies in a box of 100 by 36, zero at its foot."""
    step = 100 / max(1, len(values) - 1)
    room = HEIGHT - 2 * PAD
    return [
        None if value is None else (index * step, HEIGHT - PAD - room * float(value) / (highest or 1))
        for index, value in enumerate(values)
    ]


def runs(points: Sequence[Point | None]) -> Iterator[list[Point]]:
    """Yield the stretches of points between gaps."""
    run: list[Point] = []
    for point in (*points, None):
        if point is not None:
            run.append(point)
        elif run:
            yield run
            run = []


def path(points: Iterable[tuple[float | Decimal, float | Decimal]]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def lines(css_class: str, points: Sequence[Point | None]) -> SafeString:
    return format_html_join(
        "", '<path class="{}" d="{}"/>', ((css_class, path(run)) for run in runs(points) if len(run) > 1)
    )


def area(points: Sequence[Point | None]) -> SafeString:
    return format_html_join(
        "",
        '<path class="ar" d="{}L{} 36L{} 36Z"/>',
        ((path(run), f"{run[-1][0]:.2f}", f"{run[0][0]:.2f}") for run in runs(points) if len(run) > 1),
    )


def dot(point: Point | None, *, is_open: bool) -> SafeString:
    if point is None:
        return SafeString("")
    kind = "dot open" if is_open else "dot"
    x, y = point
    return format_html(
        '<circle class="{}" cx="{}%" cy="{}%" r="3"/>', kind, f"{x:.2f}", f"{y * 100 / HEIGHT:.2f}"
    )


NOTHING = mark_safe(
    '<svg class="spark" viewBox="0 0 100 36" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
    '<path class="none" d="M0 33H100"/></svg>'
)
