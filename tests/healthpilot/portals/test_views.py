"""The front page, the liveness answer, the theme, and the sign-in pages."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from healthpilot.web import VERSION
from tests.costs.factories import make_staff


def test_the_front_page_says_what_this_is_and_how_to_sign_in(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "Know what every user, tier and job costs" in page
    assert "/accounts/login/" in page


def test_liveness_answers_without_asking_the_database(client: Client) -> None:
    answer = client.get("/healthz/live")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


def test_the_theme_is_kept_and_the_next_page_comes_in_it(client: Client) -> None:
    answer = client.post("/theme", {"theme": "light", "next": "/accounts/login/"})
    assert answer["Location"] == "/accounts/login/"
    assert 'data-theme="light"' in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    ("theme", "light", "contrast"),
    [
        ("dark", "print", "not all"),
        ("light", "all", "not all"),
        ("system", "print, (prefers-color-scheme: light)", "screen and (prefers-contrast: more)"),
        ("contrast", "print", "screen"),
    ],
)
def test_a_theme_comes_with_the_page_so_that_nothing_flashes(
    client: Client, theme: str, light: str, contrast: str
) -> None:
    client.cookies["theme"] = theme
    page = client.get("/").content.decode()
    assert re.findall(r'media="([^"]+)" data-overlay', page) == [light, contrast]


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_the_theme_never_leads_to_another_site(client: Client, back: str) -> None:
    assert client.post("/theme", {"theme": "light", "next": back})["Location"] == "/"


@pytest.mark.parametrize("theme", ["", "hotdog", '"><script>'])
def test_an_unknown_theme_changes_nothing(client: Client, theme: str) -> None:
    client.post("/theme", {"theme": theme})
    client.cookies["theme"] = theme
    assert 'data-theme="dark"' in client.get("/").content.decode()


@pytest.mark.django_db
def test_a_wrong_password_is_told_without_saying_which_part_was_wrong(client: Client) -> None:
    make_staff("maren", password="correct horse battery")
    pages = [
        client.post("/accounts/login/", {"login": name, "password": "wrong"}).content.decode()
        for name in ("maren", "nobody")
    ]
    assert all('class="errors"' in page for page in pages)
    assert all("are not correct" in page for page in pages)


@pytest.mark.django_db
def test_guessing_is_slowed_down_with_a_page_that_says_so(client: Client) -> None:
    make_staff("guessed", password="correct horse battery")
    attempt = {"login": "guessed", "password": "wrong"}
    answers = [client.post("/accounts/login/", attempt, REMOTE_ADDR="198.51.100.7") for _ in range(12)]
    said = answers[-1].content.decode()
    assert answers[-1].status_code == 429 or "Too many" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/accounts/2fa/",
        "/accounts/password/",
        "/accounts/logout/",
        "/accounts/reauthenticate/",
        "/accounts/inactive/",
    ],
)
def test_account_pages_come_in_the_look_of_the_rest(client: Client, path: str) -> None:
    client.force_login(make_staff(password="correct horse battery"))
    answer = client.get(path, follow=True)
    assert answer.status_code == 200
    assert 'class="gate"' in answer.content.decode()


@pytest.mark.django_db
def test_nobody_can_sign_up_or_reset_a_password_by_themselves(client: Client) -> None:
    for path in ("/accounts/signup/", "/accounts/password/reset/", "/accounts/email/"):
        assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_the_navigation_lists_the_data_tables_for_superusers_only(client: Client) -> None:
    client.force_login(make_staff("one"))
    assert "/admin/django/" not in client.get("/admin/cost").content.decode()
    client.force_login(User.objects.create_superuser("two"))
    assert "/admin/django/" in client.get("/admin/cost").content.decode()


@pytest.mark.django_db
def test_every_link_of_the_navigation_leads_somewhere(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    for path in (
        "/admin/cost",
        "/accounts/2fa/",
        "/accounts/password/",
        "/admin/django/",
        "/api/openapi.json",
    ):
        assert client.get(path, follow=True).status_code == 200


def test_the_version_shown_is_that_of_the_project() -> None:
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
