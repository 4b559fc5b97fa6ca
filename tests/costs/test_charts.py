"""Figures are plain dicts that say what the rows say, and hostile names cannot become markup."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import plotly
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.bands import Band
from costs.charts import Timeline, cost_by_tier, jobs_by_domain, parts, tokens_and_hits
from costs.queries import Day, DomainRow

TODAY = date(2026, 11, 22)
ROOT = Path(__file__).resolve().parents[2]


def timeline(days: int, *, with_today: bool = True) -> Timeline:
    last = TODAY if with_today else TODAY - timedelta(days=1)
    dates = [last - timedelta(days=back) for back in reversed(range(days))]
    return Timeline(dates, days - 1 if with_today else days)


def band(values: list[str], label: str = "Pro", style: str = "2") -> Band:
    return Band(label, style, [Decimal(value) for value in values])


def named(figure: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(trace for trace in figure["data"] if trace.get("name") == name)
    return found


def texts(figure: dict[str, Any]) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def test_the_area_holds_complete_days_and_today_stands_apart_hatched() -> None:
    figure = cost_by_tier(timeline(5), [band(["1", "2", "3", "4", "1.5"])])
    area, today = named(figure, "Pro"), named(figure, "Today so far")
    assert area["y"] == [1, 2, 3, 4]
    assert today["x"] == ["2026-11-22"]
    assert today["y"] == [1.5]
    assert today["marker"]["pattern"]["shape"]


def test_a_past_range_has_no_today() -> None:
    figure = cost_by_tier(timeline(4, with_today=False), [band(["1", "2", "3", "4"])])
    assert not [trace for trace in figure["data"] if trace.get("name") == "Today so far"]


def test_too_few_days_for_an_area_are_bars_so_that_they_can_be_seen() -> None:
    figure = cost_by_tier(timeline(7, with_today=False), [band(["0"] * 6 + ["5.8"])])
    assert named(figure, "Pro")["type"] == "bar"
    assert named(figure, "Pro")["y"] == [None] * 6 + [5.8]


def test_each_band_has_its_pattern_its_edge_and_a_label_with_its_total() -> None:
    bands = [band(["3"] * 5, "Enterprise", "1"), band(["2"] * 5, "Pro", "2"), band(["1"] * 5, "Free", "3")]
    figure = cost_by_tier(timeline(5), bands)
    shapes = [named(figure, label)["fillpattern"]["shape"] for label in ("Enterprise", "Pro", "Free")]
    edges = [trace["line"]["color"] for trace in figure["data"] if trace.get("hoverinfo") == "skip"]
    assert shapes == ["", "/", "."]
    assert [edge for edge in edges if edge != "token:surface"] == [
        "token:tier-1",
        "token:tier-2",
        "token:tier-3",
    ]
    assert edges.count("token:surface") == 3
    assert {"Enterprise", "$15.00", "Pro", "$10.00", "Free", "$5.00"} <= set(texts(figure))


def test_the_hover_tells_the_exact_looking_amount_not_a_float() -> None:
    figure = cost_by_tier(timeline(5), [band(["0.1", "0.2", "0.000031", "4845.42", "1"])])
    assert named(figure, "Pro")["customdata"] == ["$0.10", "$0.20", "$0.000031", "$4,845.42"]


def test_tiny_costs_get_an_axis_that_tells_them_apart() -> None:
    figure = cost_by_tier(timeline(5), [band(["0.000042"] * 5)])
    labels = figure["layout"]["yaxis"]["ticktext"]
    assert len(set(labels)) == len(labels)
    assert labels[-1] == "$0.00005"


HOSTILE = [
    "<script>alert(1)</script>",
    "<b>&amp;</b>",
    "\u202etfel",
    "🦄" * 20,
    "漢字" * 20,
    "=cmd()",
    "\x1b[31m",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_short_plain_text_in_every_figure(name: str) -> None:
    row = DomainRow(name, 5, 0, Decimal(1), 10, 20)
    for figure in (cost_by_tier(timeline(5), [band(["1"] * 5, name, "other")]), jobs_by_domain([row])):
        for text in texts(figure):
            assert "<" not in text
            assert "\u202e" not in text
            assert "\x1b" not in text
            assert len(text) < 60


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0.01, 0.15))
def test_labels_never_lie_on_each_other(places: list[float], gap: float) -> None:
    moved = parts.spread(sorted(places), gap)
    assert all(later - earlier >= gap - 1e-9 for earlier, later in pairwise(moved))
    assert moved[-1] <= 1 + 1e-9


def test_domains_show_jobs_and_the_wait_most_stay_under() -> None:
    rows = [
        DomainRow("ai", 41_280, 3, Decimal(9), 800, 3_100),
        DomainRow("rating", 20, 0, Decimal(1), None, None),
    ]
    figure = jobs_by_domain(rows)
    assert [trace["x"] for trace in figure["data"]] == [[41_280, 20], [3_100, 0]]
    assert {"ai", "41,280", "3.1\u202fs", "rating", "20", "–"} <= set(texts(figure))


def test_tokens_end_with_a_label_and_today_is_an_open_point() -> None:
    rows = [Day(ai_calls=100, cache_hits=hits, tokens_in=900, tokens_out=90) for hits in (20, 25, 30, 33, 10)]
    figure = tokens_and_hits(timeline(5), rows)
    assert named(figure, "Input")["y"] == [900] * 4
    assert named(figure, "Input, today so far")["y"] == [900]
    assert named(figure, "Input, today so far")["marker"]["symbol"] == "circle-open"
    assert {"Input", "Output", "33\u202f%"} <= set(texts(figure))


def test_a_day_without_calls_is_a_gap_in_the_hit_rate_not_a_zero() -> None:
    rows = [Day(ai_calls=10, cache_hits=5), Day(), Day(ai_calls=10, cache_hits=5), Day(ai_calls=1)]
    assert named(tokens_and_hits(timeline(4), rows), "Cache hit-rate")["y"] == [50, None, 50]


@pytest.mark.parametrize("days", [1, 2, 3, 7, 30, 90, 366])
def test_every_figure_can_be_sent_and_names_only_tokens_that_exist(days: int) -> None:
    rows = [Day(ai_calls=1, tokens_in=5)] * days
    figures = [
        cost_by_tier(timeline(days), [band(["1"] * days)]),
        tokens_and_hits(timeline(days), rows),
        jobs_by_domain([DomainRow("", 1, 0, Decimal(0))]),
    ]
    known = set(re.findall(r"--([\w-]+):", (ROOT / "static/css/tokens.css").read_text()))
    for figure in figures:
        named_tokens = set(re.findall(r"token:([\w-]+)", json.dumps(figure, allow_nan=False)))
        assert named_tokens <= known


def test_the_chart_bundle_is_the_version_that_the_python_package_carries() -> None:
    def version(path: Path) -> str:
        found = re.search(r"plotly\.js (?:\(\w+ - minified\) )?v(\d+\.\d+\.\d+)", path.read_text()[:400])
        assert found
        return found[1]

    package = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    assert version(ROOT / "static/vendor/plotly/plotly-basic.min.js") == version(package)
