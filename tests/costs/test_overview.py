"""What the cost page shows for one question, and in which state it is."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from costs.forms import asked
from costs.models import CostDay
from costs.overview import nearest, overview
from costs.panels import tier_sentence
from costs.ranges import DateRange, ending_today
from tests.costs.factories import days_ago, make_breakdown, make_global_day, make_month, make_user_day, today

pytestmark = pytest.mark.django_db


def shown(query: str = "") -> dict[str, Any]:
    return overview(asked(QueryDict(query), today=today()), timezone.now())


def make_day(on: date, cost: str = "2") -> None:
    make_global_day(on, cost, jobs=3, ai_calls=2, tokens_in=5)
    make_breakdown(on, "tier", "pro", cost)


def test_without_any_event_the_page_is_empty() -> None:
    make_global_day(today(), "0", jobs=0)
    assert shown()["state"] == "empty"


def test_data_of_another_year_is_named_with_a_way_to_it() -> None:
    make_day(date(2023, 11, 16))
    context = shown()
    assert context["state"] == "elsewhere"
    assert context["nearest_sentence"] == "10–16 Nov 2023"
    assert shown(context["nearest"].query)["state"] == "ready"


def test_a_range_before_all_data_leads_to_its_beginning() -> None:
    start = date(2026, 9, 9)
    before = DateRange(date(2023, 1, 1), date(2023, 1, 7), date(2026, 11, 22))
    assert nearest(start, date(2026, 11, 22), before).first_on == start


def test_a_short_trace_offers_all_of_its_days_and_a_long_one_does_not() -> None:
    make_day(date(2023, 11, 16))
    make_day(date(2023, 11, 1))
    assert shown()["everything"].days == 16
    make_day(date(2020, 1, 1))
    assert shown()["everything"] is None


def test_figures_of_the_page_agree_with_each_other() -> None:
    make_month(days=35, users=9)
    context = shown("days=30")
    cards = {card.key: card for card in context["cards"]}
    assert cards["spend"].total == context["tier_total"] == sum(day.total for day in context["tier_days"])
    assert cards["ai_calls"].total == context["token_totals"]["ai_calls"]
    assert cards["jobs"].total == sum(row.jobs for row in context["domains"])
    assert cards["users"].total == context["user_count"] == 9


def test_a_custom_range_shows_the_same_figures_as_the_preset_of_the_same_days() -> None:
    make_month(days=35, users=9)
    preset, custom = shown("days=7"), shown(f"from={days_ago(6)}&to={days_ago(1)}")
    assert [row.user_id for row in custom["users"].rows] != []
    same_days = [day for day in preset["tier_days"] if not day.is_open]
    assert [day.total for day in same_days] == [day.total for day in custom["tier_days"]]


def test_a_window_that_lags_is_not_trusted() -> None:
    make_month(days=10, users=3)
    make_user_day(today(), "newcomer", "1000")
    from costs.models import CostWindow

    CostWindow.objects.update(ends_on=days_ago(1))
    assert shown("days=7")["users"].rows[0].user_id == "newcomer"


@pytest.mark.parametrize(("hours", "stale"), [(25, False), (27, True)])
def test_figures_are_stale_when_the_newest_rollup_is_older_than_26_hours(hours: int, stale: bool) -> None:
    make_day(today())
    CostDay.objects.update(rolled_up_at=timezone.now() - timedelta(hours=hours))
    assert shown()["stale"] is stale


def test_a_lost_cursor_starts_at_the_beginning_and_says_so() -> None:
    make_month(days=3, users=4)
    context = shown("days=7&cursor=tampered")
    assert context["users_notice"]
    assert len(context["users"].rows) == 4


def test_the_sentence_names_average_and_peak_of_complete_days() -> None:
    for back, cost in ((0, "900"), (1, "2"), (2, "6")):
        make_day(days_ago(back), cost)
    said = shown("days=7")["tier_sentence"]
    assert said.startswith("$1.33 a day on average over 6 complete days.")
    assert said.endswith("with $6.00.")


def test_the_sentence_of_a_single_day_gives_no_average() -> None:
    make_day(date(2023, 11, 16), "5.8074795")
    said = shown("from=2023-11-10&to=2023-11-16")["tier_sentence"]
    assert said == "$5.81 on 16 Nov 2023, the only complete day with a cost."


def test_the_sentence_of_nothing_says_so() -> None:
    assert tier_sentence([]) == "No complete day has a cost yet."


def test_a_range_of_today_alone_is_shown() -> None:
    make_day(today())
    context = shown("days=1")
    assert context["state"] == "ready"
    assert context["compared"] == ""
    assert ending_today(1, today()).complete_dates == []
