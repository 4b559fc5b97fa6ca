"""The cost endpoints: data with auth, a clear refusal without, exact figures, honest pages."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tests.costs.factories import (
    days_ago,
    make_admin,
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
        assert set(operation["responses"]) == {"200", "401", "403", "422"}
        assert operation["security"]
        assert operation["summary"]
        assert all(
            parameter["description"] for parameter in operation["parameters"] if parameter["in"] == "query"
        )


def test_the_api_is_not_written_to(staff: Client) -> None:
    assert staff.post("/api/admin/cost/summary").status_code == 405
