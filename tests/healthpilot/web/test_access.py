"""Staff pages: the anonymous sign in and come back, the rest are told why not."""

import pytest
from django.test import Client

from tests.costs.factories import make_staff, make_visitor

pytestmark = pytest.mark.django_db


def test_an_anonymous_visitor_is_sent_to_sign_in_and_back(client: Client) -> None:
    answer = client.get("/admin/cost?days=7")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/admin/cost%3Fdays%3D7"


def test_signing_in_leads_back_to_the_page_asked_for(client: Client) -> None:
    make_staff("maren", password="correct horse battery")
    credentials = {"login": "maren", "password": "correct horse battery", "next": "/admin/cost?days=7"}
    answer = client.post("/accounts/login/", credentials)
    assert answer["Location"] == "/admin/cost?days=7"


def test_an_expired_session_reloads_the_browser_instead_of_swapping_the_form_in(client: Client) -> None:
    answer = client.get("/admin/cost?days=7", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/accounts/login/?next=/admin/cost%3Fdays%3D7"
    assert not answer.content


def test_an_account_that_is_not_staff_is_told_so(client: Client) -> None:
    client.force_login(make_visitor())
    answer = client.get("/admin/cost")
    assert answer.status_code == 403
    assert "not staff" in answer.content.decode()


def test_staff_whose_account_was_closed_are_out_at_once(client: Client) -> None:
    user = make_staff()
    client.force_login(user)
    user.is_active = False
    user.save()
    assert client.get("/admin/cost").status_code == 302


def test_a_foreign_address_to_return_to_is_ignored(client: Client) -> None:
    make_staff("maren", password="correct horse battery")
    credentials = {"login": "maren", "password": "correct horse battery", "next": "https://evil.example/"}
    assert client.post("/accounts/login/", credentials)["Location"] == "/admin/cost"
