"""The page of API tokens: made once, shown once, revoked for good."""

import pytest
from django.test import Client

from healthpilot.tokens.models import ApiToken
from healthpilot.web.roles import Role
from tests.costs.factories import make_admin, make_token, make_with_role

pytestmark = pytest.mark.django_db

NEW = {"name": "billing worker", "scopes": ["cost:read", "events:write"], "lifetime": "90"}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_admin())
    return client


def shown(page: str) -> str:
    return page.split('aria-label="The new token">')[1].split("<")[0]


def test_a_new_token_is_shown_once_and_opens_the_api(admin: Client) -> None:
    answer = admin.post("/admin/tokens", NEW)
    token = shown(answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    assert token not in admin.get("/admin/tokens").content.decode()
    assert (
        Client().get("/api/admin/cost/summary", headers={"Authorization": f"Bearer {token}"}).status_code
        == 200
    )
    made = ApiToken.objects.get()
    assert (made.created_by, made.client, made.scopes) == ("root", "billing worker", NEW["scopes"])
    assert made.expires_at is not None


def test_the_same_form_again_makes_no_second_token(admin: Client) -> None:
    admin.post("/admin/tokens", NEW)
    answer = admin.post("/admin/tokens", NEW)
    assert answer.status_code == 422
    assert "A token of this name is live" in answer.content.decode()
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scopes": []}, "Choose what the token may do."),
        ({"scopes": ["everything"]}, "not one of the available choices"),
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"name": "a\x00b"}, "Null characters are not allowed"),
        ({"lifetime": "-1"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(admin: Client, change: dict[str, object], said: str) -> None:
    answer = admin.post("/admin/tokens", NEW | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_revoking_asks_first_and_then_ends_it(admin: Client) -> None:
    token = make_token("cost:read", name="old one")
    path = f"/admin/tokens/{token.split('_')[1]}/revoke"
    assert "cannot be undone" in admin.get(path).content.decode()
    assert ApiToken.objects.get().revoked_at is None
    answer = admin.post(path, follow=True)
    assert "The token old one is revoked" in answer.content.decode()
    assert ApiToken.objects.get().revoked_by == "root"
    first = ApiToken.objects.get().revoked_at
    admin.post(path)
    assert ApiToken.objects.get().revoked_at == first
    assert "revoked already" in admin.get(path).content.decode()


def test_a_hostile_name_is_shown_as_text(admin: Client) -> None:
    make_token("cost:read", name="<script>alert(1)</script>")
    page = admin.get("/admin/tokens").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_many_tokens_come_a_page_at_a_time(admin: Client) -> None:
    for number in range(52):
        make_token("cost:read", name=f"token {number:02}")
    first = admin.get("/admin/tokens").content.decode()
    assert "token 51<" in first
    assert "token 01<" not in first
    following = first.split('href="?cursor=')[1].split('"')[0]
    assert "token 01<" in admin.get(f"/admin/tokens?cursor={following}").content.decode()
    assert "token 51<" in admin.get("/admin/tokens?cursor=forged").content.decode()


def test_an_empty_list_says_what_tokens_are_for(admin: Client) -> None:
    assert "No application has a token" in admin.get("/admin/tokens").content.decode()


def test_only_admins_see_the_page_and_its_link(client: Client) -> None:
    client.force_login(make_with_role(Role.OPERATOR))
    answer = client.get("/admin/tokens")
    assert answer.status_code == 403
    assert "needs the role admin" in answer.content.decode()
    assert "/admin/tokens" not in client.get("/admin/cost").content.decode()
