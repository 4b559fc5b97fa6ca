"""`manage.py token`: tokens without a browser."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from healthpilot.tokens.models import ApiToken
from tests.costs.factories import bearer

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_token_is_printed_alone_on_standard_output_and_works() -> None:
    out, err = run("create", "ci", "--scope", "cost:read", "--days", "30")
    assert Client().get("/api/admin/cost/summary", headers=bearer(out.strip())).status_code == 200
    assert "ci may cost:read" in err
    assert ApiToken.objects.get().expires_at is not None


def test_json_is_one_object_with_the_token_in_it() -> None:
    told = json.loads(run("create", "ci", "--scope", "events:write", "--json")[0])
    assert told["token"].startswith(f"hp_{told['prefix']}_")
    assert (told["name"], told["scopes"], told["state"], told["expires_at"]) == (
        "ci",
        ["events:write"],
        "live",
        None,
    )


def test_the_list_shows_every_token_and_no_secret() -> None:
    token = run("create", "ci", "--scope", "cost:read")[0].strip()
    out = run("list")[0]
    assert token[:15] in out
    assert token.split("_", 2)[2] not in out
    assert [json.loads(line)["state"] for line in run("list", "--json")[0].splitlines()] == ["live"]


def test_a_token_is_revoked_by_its_beginning() -> None:
    token = run("create", "ci", "--scope", "cost:read")[0].strip()
    assert "is revoked" in run("revoke", token[:15])[0]
    assert Client().get("/api/admin/cost/summary", headers=bearer(token)).status_code == 401
    with pytest.raises(CommandError, match="no live token begins with") as caught:
        run("revoke", token[:15])
    assert caught.value.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "ci", "--scope", "all"], "the scopes are cost:read"),
        (["create", "ci"], "--scope"),
        (["create", " ", "--scope", "cost:read"], "printable characters"),
        (["create", "ci", "--scope", "cost:read", "--days", "0"], "days"),
        (["revoke", "xyz"], "begins with hp_"),
    ],
)
def test_a_bad_argument_is_named(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)


def test_a_name_that_is_taken_is_refused() -> None:
    run("create", "ci", "--scope", "cost:read")
    with pytest.raises(CommandError, match="a live token is named 'ci'"):
        run("create", "ci", "--scope", "cost:read")
