"""Sparklines are honest pictures made of attributes only."""

import re
from decimal import Decimal

from healthpilot.web.sparklines import drawing


def points(svg: str, css_class: str) -> list[tuple[float, float]]:
    found = re.search(rf'class="{css_class}" d="M([^"Z]*)"', svg)
    assert found
    return [tuple(map(float, pair.split())) for pair in found[1].split("L")]  # type: ignore[misc] # always pairs


def test_the_highest_value_is_the_highest_point() -> None:
    line = points(drawing([1, 4, Decimal(2)]), "ln")
    assert [x for x, _ in line] == [0, 50, 100]
    assert min(line, key=lambda point: point[1]) == line[1]


def test_zero_lies_at_the_foot_whatever_the_other_values() -> None:
    assert points(drawing([0, 1000]), "ln")[0][1] == points(drawing([0, 1]), "ln")[0][1] == 33


def test_the_previous_period_shares_the_scale() -> None:
    svg = drawing([1, 1], [2, 2])
    assert points(svg, "pv")[0][1] < points(svg, "ln")[0][1]


def test_a_gap_breaks_the_line() -> None:
    assert drawing([1, 2, None, 3, 4]).count('class="ln"') == 2


def test_a_day_that_is_not_over_is_dashed_with_an_open_dot() -> None:
    svg = drawing([1, 2, 1], last_is_open=True)
    assert len(points(svg, "ln")) == 2
    assert 'class="so"' in svg
    assert "dot open" in svg


def test_nothing_draws_a_quiet_line_instead_of_failing() -> None:
    for values in ([], [0, 0], [None, None], [None]):
        assert 'class="none"' in drawing(values)


def test_no_inline_style_is_used() -> None:
    assert "style" not in drawing([1, 2, 3], [3, 2, 1], last_is_open=True)
