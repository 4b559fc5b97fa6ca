"""The cost endpoints: data with auth, a clear refusal without, exact figures, honest pages."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from costs.models import CostDay
from tests.costs.factories import (
    days_ago,
    make_admin,
    make_breakdown,
    make_global_day,
    make_month,
    make_user_day,
    make_visitor,
    make_windows,
    today,
)

pytestmark = pytest.mark.django_db

ROUTES = ["/api/admin/cost/summary", "/api/admin/cost/users", "/api/openapi.json"]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_admin())
    return client


def got(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_cost_endpoints_return_data_with_auth(staff: Client) -> None:
    make_month(days=20, users=8)
    summary = got(staff, "/api/admin/cost/summary?days=7")
    users = got(staff, "/api/admin/cost/users?days=7")
    assert Decimal(summary["cards"]["spend"]["total"]) > 0
    assert len(summary["cards"]["spend"]["series"]) == 7
    assert len(users["users"]) == 8
    assert Decimal(users["users"][0]["cost_usd"]) >= Decimal(users["users"][-1]["cost_usd"])


@pytest.mark.parametrize("path", ROUTES)
def test_cost_endpoints_refuse_without_auth_and_say_what_to_do(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "sign_in_required"
    assert "/accounts/login/" in answer.json()["error"]["remedy"]


@pytest.mark.parametrize("path", ROUTES)
def test_cost_endpoints_refuse_accounts_that_are_not_staff(client: Client, path: str) -> None:
    client.force_login(make_visitor())
    answer = client.get(path)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "staff_required"


def test_money_is_text_also_on_a_first_day_without_a_complete_one(staff: Client) -> None:
    make_month(days=3, users=2)
    card = got(staff, "/api/admin/cost/summary?days=1")["cards"]["spend"]
    assert [type(card[name]) for name in ("total", "complete", "previous")] == [str, str, str]
    assert (card["complete"], card["change"]) == ("0", None)


def test_the_summary_has_every_card_and_sum(staff: Client) -> None:
    assert set(got(staff, "/api/admin/cost/summary")["cards"]) == {
        "spend",
        "jobs",
        "ai_calls",
        "cache_hit_rate",
        "users",
        "unpriced_calls",
        "cpu_ms",
        "tokens_in",
        "tokens_out",
    }


def test_money_is_a_string_with_every_digit(staff: Client) -> None:
    make_global_day(days_ago(1), "0.000000000000001")
    make_user_day(days_ago(1), "u", "5.8074795")
    make_windows()
    spend = got(staff, "/api/admin/cost/summary?days=7")["cards"]["spend"]
    assert spend["total"] == "0.000000000000001"
    assert got(staff, "/api/admin/cost/users?days=7")["users"][0]["cost_usd"] == "5.8074795"


def test_today_is_flagged_as_incomplete_and_left_out_of_the_comparison(staff: Client) -> None:
    make_global_day(today(), "900")
    make_global_day(days_ago(1), "2")
    make_global_day(days_ago(8), "1")
    summary = got(staff, "/api/admin/cost/summary?days=7")
    assert summary["incomplete"] == [str(today())]
    assert summary["dates"][-1] == str(today())
    spend = summary["cards"]["spend"]
    assert (spend["total"], spend["complete"], spend["previous"], spend["change"]) == ("902", "2", "1", "100")


def test_an_empty_installation_answers_zeros_not_an_error(staff: Client) -> None:
    summary = got(staff, "/api/admin/cost/summary?days=30")
    assert summary["as_of"] is None
    assert summary["cards"]["spend"]["total"] == "0"
    assert summary["cards"]["spend"]["change"] is None
    assert got(staff, "/api/admin/cost/users")["users"] == []


def test_users_come_a_page_at_a_time(staff: Client) -> None:
    make_month(days=3, users=25)
    first = got(staff, "/api/admin/cost/users?days=7&limit=20")
    second = got(staff, f"/api/admin/cost/users?days=7&limit=20&cursor={first['next_cursor']}")
    again = got(staff, f"/api/admin/cost/users?days=7&limit=20&cursor={second['previous_cursor']}")
    ids = [user["user_id"] for page in (first, second) for user in page["users"]]
    assert len(set(ids)) == 25
    assert second["next_cursor"] is None
    assert again["users"] == first["users"]


@pytest.mark.parametrize(("asked", "limit"), [("10000000000", 200), ("200", 200), ("1", 1)])
def test_a_huge_limit_is_held_at_the_maximum(staff: Client, asked: str, limit: int) -> None:
    assert got(staff, f"/api/admin/cost/users?limit={asked}")["limit"] == limit


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("days=0", "days"),
        ("days=367", "days"),
        ("days=abc", "days"),
        ("days=7.5", "days"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("prefix=" + "x" * 41, "prefix"),
        ("prefix=%00", "prefix"),
        ("days=7&days=8", "days"),
    ],
)
def test_a_bad_parameter_is_named(staff: Client, query: str, name: str) -> None:
    answer = staff.get(f"/api/admin/cost/users?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_parameter"
    assert answer.json()["error"]["message"].startswith(f"{name}: ")


@pytest.mark.parametrize("cursor", ["x", "%00", "W10:abc", "é", "a" * 3000])
def test_a_foreign_cursor_is_refused_politely(staff: Client, cursor: str) -> None:
    answer = staff.get(f"/api/admin/cost/users?cursor={cursor}")
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_cursor"


@pytest.mark.parametrize("prefix", ["%F0%9F%A6%84", "'", "%25", "\\", "%FF", "%E2%80%AE"])
def test_any_prefix_is_only_compared(staff: Client, prefix: str) -> None:
    assert staff.get(f"/api/admin/cost/users?prefix={prefix}").status_code == 200


def test_the_openapi_document_describes_both_routes_and_their_refusals(staff: Client) -> None:
    document = got(staff, "/api/openapi.json")
    assert document["openapi"].startswith("3.1")
    for path in ("/api/admin/cost/summary", "/api/admin/cost/users"):
        operation = document["paths"][path]["get"]
        assert set(operation["responses"]) == {"200", "304", "401", "403", "422", "429", "503"}
        assert operation["security"]
        assert operation["summary"]
        assert all(
            parameter["description"] for parameter in operation["parameters"] if parameter["in"] == "query"
        )


def test_the_api_is_not_written_to(staff: Client) -> None:
    assert staff.post("/api/admin/cost/summary").status_code == 405


LISTS = ["users", "days", "tiers", "domains", "models"]


def test_tiers_domains_and_models_sum_to_the_spend_of_the_summary(staff: Client) -> None:
    make_month(days=40, users=8)
    spend = got(staff, "/api/admin/cost/summary?days=30")["cards"]["spend"]["total"]
    for kind in ("tiers", "domains"):
        items = got(staff, f"/api/admin/cost/{kind}?days=30")["items"]
        assert sum(Decimal(item["cost_usd"]) for item in items) == Decimal(spend)
        costs = [Decimal(item["cost_usd"]) for item in items]
        assert costs == sorted(costs, reverse=True)
    days = got(staff, "/api/admin/cost/days?days=30")["days"]
    assert sum(Decimal(day["cost_usd"]) for day in days) == Decimal(spend)


def test_every_list_comes_a_page_at_a_time_there_and_back(staff: Client) -> None:
    make_month(days=12, users=5)
    for kind, rows in (("days", "days"), ("tiers", "items"), ("domains", "items"), ("models", "items")):
        path = f"/api/admin/cost/{kind}?days=7"
        whole = got(staff, f"{path}&limit=200")[rows]
        last = got(staff, f"{path}&limit=2")
        pages = list(last[rows])
        while last["next_cursor"]:
            last = got(staff, f"{path}&limit=2&cursor={last['next_cursor']}")
            pages += last[rows]
        assert pages == whole, kind
        if last["previous_cursor"]:
            back = got(staff, f"{path}&limit=2&cursor={last['previous_cursor']}")
            assert back[rows] == [row for row in whole if row not in last[rows]][-2:], kind


def test_equal_costs_are_paged_by_their_names(staff: Client) -> None:
    for name in ("c", "a", "b"):
        make_breakdown(days_ago(1), "domain", name, "1")
    first = got(staff, "/api/admin/cost/domains?limit=2")
    second = got(staff, f"/api/admin/cost/domains?limit=2&cursor={first['next_cursor']}")
    assert [item["key"] for item in first["items"] + second["items"]] == ["a", "b", "c"]


def test_days_hold_every_day_of_the_range_and_flag_today(staff: Client) -> None:
    make_global_day(days_ago(1), "2", users=3)
    days = got(staff, "/api/admin/cost/days?days=3")["days"]
    assert [day["date"] for day in days] == [str(days_ago(2)), str(days_ago(1)), str(today())]
    assert [day["complete"] for day in days] == [True, True, False]
    assert [(day["users"], day["cost_usd"]) for day in days] == [(0, "0"), (3, "2"), (0, "0")]


def test_one_user_has_sums_and_a_row_a_day(staff: Client) -> None:
    make_user_day(days_ago(2), "u/1 &", "1.5", tier="free", jobs=2)
    make_user_day(days_ago(1), "u/1 &", "2.25", tier="pro", jobs=3)
    make_user_day(days_ago(1), "other", "9")
    body = got(staff, "/api/admin/cost/user?days=3&user_id=u%2F1%20%26")
    assert (body["user"]["tier"], body["user"]["jobs"], body["user"]["cost_usd"]) == ("pro", 5, "3.75")
    assert [(day["tier"], day["cost_usd"]) for day in body["days"]] == [
        ("free", "1.5"), ("pro", "2.25"), (None, "0"),
    ]  # fmt: skip


def test_a_user_without_costs_has_zeros_and_no_tier(staff: Client) -> None:
    user = got(staff, "/api/admin/cost/user?user_id=nobody")["user"]
    assert (user["tier"], user["jobs"], user["cost_usd"]) == (None, 0, "0")


def test_a_range_may_be_given_by_its_days(staff: Client) -> None:
    make_global_day(days_ago(10), "4")
    query = f"from={days_ago(11)}&to={days_ago(9)}"
    summary = got(staff, f"/api/admin/cost/summary?{query}")
    assert summary["range"] == {
        "days": 3, "first_on": str(days_ago(11)), "last_on": str(days_ago(9)), "today": str(today()),
    }  # fmt: skip
    assert summary["cards"]["spend"]["total"] == "4"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2026-01-01", "belong together"),
        ("from=2026-02-01&to=2026-01-01", "from is after to"),
        ("from=2020-01-01&to=2026-01-01", "at most 366 days"),
        ("from=2026-01-01&to=2026-01-02&days=7", "not both"),
        ("from=2999-01-01&to=2999-01-02", "future"),
        ("from=2026-02-30&to=2026-03-01", "a day that exists"),
        ("from=0001-01-01&to=0001-01-02", "from 2000 on"),
        ("from=1767225600&to=1767225600", "a day that exists"),
    ],
)
def test_a_range_of_no_sense_is_refused_with_the_reason(staff: Client, query: str, said: str) -> None:
    answer = staff.get(f"/api/admin/cost/summary?{query}")
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize("route", ["summary", "user?user_id=u", *LISTS])
def test_what_has_not_changed_is_not_sent_again(staff: Client, route: str) -> None:
    make_global_day(days_ago(1), "1")
    path = f"/api/admin/cost/{route}"
    first = staff.get(path)
    assert "private" in first["Cache-Control"]
    known = {"If-None-Match": first["ETag"]}
    again = staff.get(path, headers=known)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    CostDay.objects.filter(date=days_ago(1)).update(rolled_up_at=timezone.now() - timedelta(days=3))
    assert staff.get(path, headers=known).status_code == 200


def test_a_rollup_that_began_earlier_and_commits_later_changes_the_version(staff: Client) -> None:
    make_global_day(days_ago(1), "1")
    make_global_day(days_ago(2), "1")
    CostDay.objects.filter(date=days_ago(2)).update(rolled_up_at=timezone.now() - timedelta(hours=2))
    known = {"If-None-Match": staff.get("/api/admin/cost/summary")["ETag"]}
    CostDay.objects.filter(date=days_ago(2)).update(rolled_up_at=timezone.now() - timedelta(hours=1))
    assert staff.get("/api/admin/cost/summary", headers=known).status_code == 200


def test_the_tag_is_no_way_round_the_sign_in(staff: Client, client: Client) -> None:
    known = {"If-None-Match": staff.get("/api/admin/cost/summary")["ETag"]}
    assert Client().get("/api/admin/cost/summary", headers=known).status_code == 401


def test_head_is_get_without_the_body(staff: Client) -> None:
    head, whole = (getattr(staff, method)("/api/admin/cost/summary") for method in ("head", "get"))
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == whole["Content-Length"]
    assert head["ETag"] == whole["ETag"]


def test_options_says_what_is_allowed(staff: Client) -> None:
    answer = staff.options("/api/admin/cost/summary")
    assert (answer.status_code, answer["Allow"], answer.content) == (204, "GET, HEAD, OPTIONS", b"")


def test_a_method_that_is_not_allowed_is_told_so_in_json(staff: Client) -> None:
    for path, allowed in (
        ("/api/admin/cost/summary", "GET, HEAD, OPTIONS"),
        ("/api/openapi.json", "GET, HEAD, OPTIONS"),
        ("/api/ingest/events", "OPTIONS, POST"),
    ):
        answer = staff.patch(path)
        assert (answer.status_code, answer["Allow"]) == (405, allowed)
        assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_parameter_that_does_not_exist_is_named(staff: Client) -> None:
    answer = staff.get("/api/admin/cost/summary?day=7")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("day: ")
