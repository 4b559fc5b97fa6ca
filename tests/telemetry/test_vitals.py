"""What a page may tell of itself: a portal and figures within what a page can have, and nothing else."""

from typing import Any

import pytest

from telemetry import vitals


def test_a_page_tells_its_portal_and_its_figures() -> None:
    told = {"portal": "admin", "lcp": 812.5, "inp": 16, "cls": 0.0421, "ttfb": 31}
    assert vitals.read(told) == ("admin", {"lcp": 812.5, "inp": 16.0, "cls": 0.0421, "ttfb": 31.0})


@pytest.mark.parametrize(
    "told",
    [
        None, [], "text", {}, {"portal": "admin"}, {"portal": "other", "lcp": 1},
        {"portal": ["admin"], "lcp": 1},
        {"portal": "admin", "lcp": -1}, {"portal": "admin", "lcp": 60_001}, {"portal": "admin", "lcp": "9"},
        {"portal": "admin", "lcp": float("nan")}, {"portal": "admin", "lcp": float("inf")},
        {"portal": "admin", "lcp": True}, {"portal": "admin", "cls": 61},
        {"portal": "admin", "user": 1, "lcp": 1},
    ],
)  # fmt: skip
def test_what_no_page_tells_is_refused(told: Any) -> None:
    with pytest.raises(ValueError, match=r"it names|it tells|is no number"):
        vitals.read(told)


def test_shifts_are_counted_in_thousandths() -> None:
    vitals.observed.take()
    vitals.observe("customer", "cls", 0.11)
    ((key, histogram),) = vitals.observed.take().items()
    assert (key, round(histogram.total_ms)) == (("customer", "cls"), 110)
