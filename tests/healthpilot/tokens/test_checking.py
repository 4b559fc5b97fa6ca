"""Tokens at the door of the API: which are let in, which are refused, and what is said."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from healthpilot.tokens import checking
from healthpilot.tokens.issuing import revoke
from healthpilot.tokens.models import ApiToken
from healthpilot.web.roles import Role
from tests.costs.factories import bearer, make_admin, make_token, make_with_role

pytestmark = pytest.mark.django_db

SUMMARY = "/api/admin/cost/summary"


@pytest.fixture(autouse=True)
def no_limits_left() -> None:
    cache.clear()


def asked(client: Client, token: str, path: str = SUMMARY) -> Any:
    return client.get(path, headers=bearer(token))


def test_a_token_with_the_scope_reads_costs(client: Client) -> None:
    assert asked(client, make_token("cost:read")).status_code == 200


def test_a_token_without_the_scope_is_told_which_one_it_needs(client: Client) -> None:
    answer = asked(client, make_token("events:write"))
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "scope_required"
    assert "cost:read" in answer.json()["error"]["message"]
    assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]


@pytest.mark.parametrize(
    "token", ["x", "hp_", "hp__", "hp_0123456789ab_", "hp_0123456789ab_wrong", "\x00", "é"]
)
def test_a_wrong_token_is_refused_without_saying_why(client: Client, token: str) -> None:
    answer = asked(client, token)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_token"
    assert answer.json()["error"]["message"] == "This token is not known."


def test_a_known_beginning_with_another_secret_is_as_unknown_as_any(client: Client) -> None:
    mark, prefix, _ = make_token("cost:read").split("_", 2)
    known, unknown = asked(client, f"{mark}_{prefix}_guess"), asked(client, "hp_000000000000_guess")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


def test_revoked_and_expired_tokens_are_refused_and_said_to_be_so(client: Client) -> None:
    revoked = make_token("cost:read", name="one")
    revoke(revoked.split("_")[1], revoked_by="tests")
    expired = make_token("cost:read", name="two", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert "revoked" in asked(client, revoked).json()["error"]["message"]
    assert "expired" in asked(client, expired).json()["error"]["message"]


def test_a_token_that_comes_with_a_session_is_judged_alone(client: Client) -> None:
    client.force_login(make_admin())
    assert asked(client, "hp_0123456789ab_wrong").status_code == 401
    assert asked(client, make_token("events:write")).status_code == 403


def test_costs_need_the_admin_role_where_no_token_comes(client: Client) -> None:
    client.force_login(make_with_role(Role.OPERATOR))
    answer = client.get(SUMMARY)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "role_required"
    assert "admin" in answer.json()["error"]["remedy"]


def test_the_secret_is_kept_nowhere(client: Client) -> None:
    token = make_token("cost:read")
    secret = token.split("_", 2)[2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(api_tokens)::text FROM api_tokens")
        assert secret not in cursor.fetchone()[0]


def test_its_use_is_noted_once_a_minute_at_the_most(client: Client) -> None:
    token = make_token("cost:read")
    asked(client, token)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        asked(client, token)
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    asked(client, token)
    again = ApiToken.objects.get().last_used_at
    assert again
    assert again > first - timedelta(minutes=1)


def test_after_ten_wrong_tries_with_a_beginning_no_more_are_looked_at(client: Client) -> None:
    right = make_token("cost:read")
    wrong = f"{right[:16]}guess"
    answers = [asked(client, wrong).status_code for _ in range(12)]
    assert answers == [401] * 10 + [429] * 2
    refused = asked(client, right)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert refused.json()["error"]["code"] == "too_many_wrong_tokens"


def test_one_program_with_an_old_token_does_not_shut_out_its_neighbours(client: Client) -> None:
    for _ in range(12):
        asked(client, "hp_0123456789ab_old")
    assert asked(client, make_token("cost:read")).status_code == 200


def test_guessing_with_many_beginnings_ends_at_the_limit_of_the_address(client: Client) -> None:
    for number in range(checking.WRONG_PER_ADDRESS):
        assert asked(client, f"hp_{number:012x}_x").status_code == 401
    assert asked(client, "hp_ffffffffffff_x").status_code == 429


def test_the_limit_holds_while_redis_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    def away(*args: Any, **kwargs: Any) -> Any:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(redis.Redis, "execute_command", away)
    answers = [asked(client, "hp_abcdefabcdef_x").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    cache._retry_at.clear()  # type: ignore[attr-defined] # of our own cache backend


def test_a_token_stands_in_no_log_and_on_no_error_page(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from costs import queries

    token = make_token("cost:read")
    client.raise_request_exception = False
    monkeypatch.setattr(queries, "rolled_up_at", lambda: 1 / 0)
    answer = asked(client, token)
    asked(client, f"{token}x")
    assert answer.status_code == 500
    assert token not in answer.content.decode()
    assert token not in caplog.text
