"""The pages of prices: who may, what they show, and what a wrong, doubled or late form does."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse

from costs.models import CostGlobalDaily, ModelPrice
from costs.rollup import RollupBusy, rollup_costs_for_date
from healthpilot.web.roles import Role
from systemstatus.models import AuditEntry
from tests.costs.events import call, store
from tests.costs.factories import days_ago, make_breakdown, make_with_role, today
from tests.costs.prices.rows import store_price

pytestmark = pytest.mark.django_db(transaction=True)

LIST, SET, REPRICE = "/admin/cost/prices", "/admin/cost/prices/set", "/admin/cost/prices/reprice"


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(make_with_role(role))
    return client


@pytest.fixture
def admin() -> Client:
    return client_of(Role.ADMIN)


def entries(**values: Any) -> dict[str, Any]:
    return {
        "llm_model": "m-small", "input_usd": "3", "cached_usd": "1", "output_usd": "7",
        "request_usd": "0.001", "effective_from": str(days_ago(3)), "reason": "new contract", "seen": "0",
    } | values  # fmt: skip


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_list_shows_prices_with_their_use_and_unpriced_models_with_a_way_to_price_them(
    admin: Client,
) -> None:
    price = store_price("0.15", "0.075", "0.6", llm_model="gpt-4o-mini")
    make_breakdown(days_ago(1), "model", "gpt-4o-mini", "2.5", ai_calls=12_345, price_id=price.pk)
    make_breakdown(days_ago(2), "model", "gpt-4o-mini", "9", ai_calls=9, price_id=None)
    make_breakdown(days_ago(1), "model", "a/<b>&=", "1", ai_calls=77, unpriced_calls=77)
    page = text_of(admin.get(LIST))
    for words in ("$0.15", "$0.075", "12,345", "$2.50", "a/&lt;b&gt;&amp;=", "model=a%2F%3Cb%3E%26%3D"):
        assert words in page


def test_a_price_of_zero_is_called_free_and_questioned(admin: Client) -> None:
    store_price("0", "0", "0")
    page = text_of(admin.get(LIST))
    assert "Free (0)" in page
    assert "is that so?" in page


def test_a_viewer_reads_the_list_and_sets_nothing() -> None:
    viewer = client_of(Role.VIEWER)
    assert viewer.get(LIST).status_code == 200
    assert "Set a price" not in text_of(viewer.get(LIST))
    assert [viewer.post(path, entries()).status_code for path in (SET, REPRICE)] == [403, 403]
    assert not ModelPrice.objects.exists()


def test_a_form_without_its_csrf_token_sets_nothing() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_with_role(Role.ADMIN))
    assert client.post(SET, entries()).status_code == 403
    assert not ModelPrice.objects.exists()


def test_a_price_is_set_shown_in_the_history_and_sent_twice_it_is_set_once(admin: Client) -> None:
    answers = [admin.post(SET, entries()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    row = ModelPrice.objects.get()
    assert (row.amounts, row.created_by, row.source) == (
        (Decimal(3), Decimal(1), Decimal(7), Decimal("0.001")), "admin", "admin",
    )  # fmt: skip
    page = text_of(admin.get(answers[0]["Location"]))
    assert "new contract" in page
    assert "In effect" in page


def test_the_later_of_two_admins_is_told_whose_price_came_first_and_may_send_again(admin: Client) -> None:
    store_price("5", created_by="olga", effective_from=days_ago(3))
    answer = admin.post(SET, entries())
    assert answer.status_code == 409
    assert "somebody else set a price" in text_of(answer)
    assert "olga" in text_of(answer)
    newest = ModelPrice.objects.get()
    assert f'name="seen" value="{newest.pk}"' in text_of(answer)
    assert admin.post(SET, entries(seen=newest.pk)).status_code == 302
    assert ModelPrice.objects.filter(superseded_at=None).get().input_usd_per_million == 3


def test_a_wrong_amount_is_explained_beside_its_field_and_nothing_is_set(admin: Client) -> None:
    answer = admin.post(SET, entries(input_usd="٣"))
    assert answer.status_code == 422
    assert "Write an amount in digits" in text_of(answer)
    assert not ModelPrice.objects.exists()


def test_the_form_starts_from_the_price_in_force(admin: Client) -> None:
    store_price("0.15", "0.075", "0.6", llm_model="gpt/4")
    page = text_of(admin.get(SET, {"model": "gpt/4"}))
    assert 'value="0.075"' in page


@pytest.mark.parametrize("path", [f"{SET}?model=a%00b", f"{LIST}/history?model=a%00b", f"{LIST}?cursor=x"])
def test_an_odd_address_gets_a_page(admin: Client, path: str) -> None:
    assert admin.get(path).status_code in (200, 404)


@pytest.fixture
def repriced_days() -> None:
    """Two closed days, priced by the constants; a price was set for them afterwards."""
    for back in (2, 3):
        day = days_ago(back)
        store(call(f"{day} 00:00", input_tokens=1000))
        rollup_costs_for_date(day)
    store_price("3", "1", "7", effective_from=days_ago(9))


@pytest.mark.usefixtures("repriced_days")
def test_the_preview_names_the_difference_and_applying_it_makes_it_so(admin: Client) -> None:
    page = text_of(admin.get(REPRICE))
    assert "+$0.0057" in page
    assert admin.get(LIST).context["stale_days"] == 2
    assert admin.get(f"{LIST}/history?model=m").context["stale_days"] == 2
    version = admin.get(REPRICE).context["version"]
    assert admin.post(REPRICE, {"version": version}).status_code == 302
    assert [row.cost_exact for row in CostGlobalDaily.objects.filter(ai_calls__gt=0)] == [
        Decimal("0.003")
    ] * 2
    assert admin.get(LIST).context["stale_days"] == 0
    assert admin.post(REPRICE, {"version": version}).status_code == 302


@pytest.mark.usefixtures("repriced_days")
def test_a_preview_that_no_longer_holds_is_shown_anew_and_nothing_is_applied(admin: Client) -> None:
    version = admin.get(REPRICE).context["version"]
    store_price("4", "1", "7", effective_from=days_ago(5))
    answer = admin.post(REPRICE, {"version": version})
    assert answer.status_code == 409
    assert "+$0.0077" in text_of(answer)
    assert all(row.cost_exact == Decimal("0.00015") for row in CostGlobalDaily.objects.filter(ai_calls__gt=0))


@pytest.mark.usefixtures("repriced_days")
def test_days_repriced_before_one_that_is_held_are_in_the_audit_trail_and_told_of(admin: Client) -> None:
    version = admin.get(REPRICE).context["version"]

    def held_on_the_second(day: date, **options: Any) -> Any:
        if day == days_ago(2):
            raise RollupBusy(day)
        return rollup_costs_for_date(day, **options)

    with mock.patch("costs.prices.repricing.rollup_costs_for_date", held_on_the_second):
        answer = admin.post(REPRICE, {"version": version}, follow=True)
    entry = AuditEntry.objects.get(action="price.reprice")
    assert entry.target == f"{days_ago(3)} to {days_ago(3)}"
    assert entry.after == {"days": 1, "difference_usd": "+0.00285"}
    assert "1 day repriced" in text_of(answer)


@pytest.mark.usefixtures("repriced_days")
def test_the_cost_page_says_that_days_were_priced_before_a_change(admin: Client) -> None:
    page = text_of(admin.get(reverse("costs:dashboard")))
    assert "2 closed days have other prices" in page
    assert "+$0.0057" in page


def test_a_span_that_means_nothing_shows_all_days(admin: Client) -> None:
    assert admin.get(REPRICE, {"from": "x", "to": str(today() + timedelta(days=9))}).status_code == 200
