"""Figures in templates are escaped and carry the exact value."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from healthpilot.web.templatetags import figures


def test_short_money_tells_the_exact_amount_on_hover() -> None:
    assert figures.money(Decimal("5.8074795")) == '<span title="$5.8074795">$5.81</span>'


def test_money_that_is_exact_already_has_no_hover() -> None:
    assert figures.money(Decimal("5.50")) == "$5.50"


def test_compact_counts_tell_the_full_count_on_hover() -> None:
    assert figures.compact(22_361_870) == '<span title="22,361,870">22.4\u202fM</span>'


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=31), "31 h ago"),
        (timedelta(days=12), "12 days ago"),
        (timedelta(seconds=-30), "just now"),
    ],
)
def test_ages_are_said_in_the_largest_unit_that_fits(age: timedelta, text: str) -> None:
    now = datetime(2026, 11, 22, 14, 33, tzinfo=UTC)
    assert f">{text}</time>" in figures.ago(now - age, now)


def test_an_age_tells_the_exact_utc_time() -> None:
    moment = datetime(2026, 11, 22, 15, 33, 5, tzinfo=UTC)
    said = figures.ago(moment, moment)
    assert 'datetime="2026-11-22T15:33:05Z"' in said
    assert 'title="2026-11-22 15:33:05 UTC"' in said


@pytest.mark.parametrize(
    ("value", "width"), [("50", "50.0%"), ("140", "100.0%"), ("-3", "0.0%"), (None, "0.0%")]
)
def test_a_share_bar_stays_within_its_track(value: str | None, width: str) -> None:
    assert f'width="{width}"' in figures.share_bar(None if value is None else Decimal(value))


def test_a_chart_as_json_cannot_end_its_script_and_is_read_back_as_it_was() -> None:
    figure = {"name": "</script><!-- & ü \u202e", "y": [1.5, 2], "link": "?from=2026-11-01&to=2026-11-02"}
    html = figures.chart_json(figure, "a-figure")
    text = html.removeprefix('<script id="a-figure" type="application/json">').removesuffix("</script>")
    assert not set("<>&") & set(text)
    assert json.loads(text) == figure
