"""A NUL in an address or a form is the sender's fault, and said to be."""

import pytest
from django.test import Client

from tests.costs.factories import make_admin

pytestmark = pytest.mark.django_db
BUDGET = "/admin/cost/budget"


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_admin())
    return client


@pytest.mark.parametrize(
    "path",
    [f"{BUDGET}s/controls?scope=tier&key=%00", "/admin/status/audit?actor=%00", "/admin/jobs?tier=%00"],
)
def test_an_address_with_one_is_no_failure_of_the_server(admin: Client, path: str) -> None:
    assert admin.get(path).status_code < 500


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (f"{BUDGET}?scope=tier&key=free", {"reason": "a\0b", "daily_jobs_cap": "5"}),
        (f"{BUDGET}/remove?scope=tier&key=%00", {"reason": "try"}),
        (f"{BUDGET}/effect?scope=tier&key=%00", {"daily_jobs_cap": "5"}),
    ],
)
def test_a_form_with_one_is_refused_with_what_to_do(admin: Client, path: str, form: dict[str, str]) -> None:
    answer = admin.post(path, form)
    assert answer.status_code == 400
    assert "holds a NUL character" in answer.content.decode()


def test_a_limit_of_thousands_of_digits_is_the_most_a_page_shows(admin: Client) -> None:
    assert admin.get(f"/admin/jobs?limit={'9' * 5000}").status_code == 200
