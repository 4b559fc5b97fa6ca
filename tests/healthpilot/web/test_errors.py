"""Errors say what happened and what to do, in the form the caller reads."""

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from healthpilot.web import errors

HTMX = {"HX-Request": "true"}


def raised(error: Exception, path: str = "/admin/cost", **headers: str) -> HttpResponse:
    request: HttpRequest = RequestFactory().get(path, headers=headers)
    try:
        raise error
    except type(error):
        return errors.server_error(request)


def test_a_page_that_does_not_exist_says_so(client: Client) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_an_unknown_api_address_answers_json(client: Client) -> None:
    answer = client.get("/api/nowhere")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_a_failure_has_a_reference_that_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    answer = raised(RuntimeError("secret detail"))
    body = answer.content.decode()
    reference = caplog.records[0].getMessage().split(":")[0]
    assert answer.status_code == 500
    assert reference in body
    assert "secret detail" not in body


def test_a_database_that_is_away_is_503_not_500() -> None:
    answer = raised(OperationalError("connection refused"))
    assert answer.status_code == 503
    assert "database does not answer" in answer.content.decode()


def test_a_failure_under_htmx_is_a_notice_beside_the_old_figures() -> None:
    answer = raised(RuntimeError(), **HTMX)
    assert answer["HX-Retarget"] == "#notice"
    assert "<html" not in answer.content.decode()


def test_a_restored_history_entry_gets_the_whole_error_page() -> None:
    answer = raised(RuntimeError(), **HTMX, **{"HX-History-Restore-Request": "true"})
    assert "<html" in answer.content.decode()


def test_a_failure_of_the_api_is_json() -> None:
    answer = raised(RuntimeError(), path="/api/admin/cost/summary")
    assert answer["Content-Type"] == "application/json"


def test_a_form_without_its_token_is_explained() -> None:
    answer = Client(enforce_csrf_checks=True).post("/theme", {"theme": "light"})
    assert answer.status_code == 403
    assert "The form has expired" in answer.content.decode()
