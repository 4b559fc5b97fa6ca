"""Every route, task and client of the project is watched; one that is not is named."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.urls import path
from pytest_django import Settings

from systemstatus import coverage
from tests.systemstatus.watched import module, only


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("nobody/<int:n>", answer), path("mine/x", answer)]


def test_everything_in_this_project_is_claimed_and_counted() -> None:
    found = coverage.coverage()
    assert (found.unclaimed, found.uncounted) == (
        {"routes": [], "tasks": [], "clients": []},
        {"routes": [], "tasks": [], "clients": []},
    )
    assert found.share == 100
    assert {"/admin/status/<slug:slug>", "/healthz/live"} <= set(found.known["routes"])
    assert {"costs.fold_usage", "dataqueue.run", "systemstatus.collect"} <= set(found.known["tasks"])
    assert {"webhook", "openai", "r2", "portals"} <= set(found.known["clients"])


@pytest.mark.urls(__name__)
def test_a_route_that_no_module_claims_ends_the_command_with_1() -> None:
    out = StringIO()
    with only(module("one", routes=("/mine/",))), pytest.raises(CommandError):
        call_command("status_coverage", stdout=out)
    assert "no module claims route /nobody/<int:n>" in out.getvalue()
    assert "/mine/x" not in out.getvalue()
    assert "no module claims task costs.fold_usage" in out.getvalue()


def test_routes_that_no_middleware_counts_are_named(settings: Settings) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != coverage.MIDDLEWARE]
    assert "/healthz/live" in coverage.coverage().uncounted["routes"]


def test_the_command_is_well_here_and_speaks_json() -> None:
    out = StringIO()
    call_command("status_coverage", stdout=out)
    assert "100 % of" in out.getvalue()
    out = StringIO()
    call_command("status_coverage", "--json", stdout=out)
    assert json.loads(out.getvalue())["share"] == 100


@pytest.mark.parametrize(("claim", "claimed"), [("/a", True), ("/a$", False), ("/a/b$", True), ("/b", False)])
def test_a_claim_is_a_beginning_or_with_a_dollar_the_whole(claim: str, claimed: bool) -> None:
    assert coverage.is_claimed("/a/b", [claim]) is claimed


def test_clients_are_found_in_source() -> None:
    source = 'x = outbound.Client("one", limit_s=1)\nobserve("two", "2xx", 3)\nClient(name)\nother("three")'
    assert set(coverage.clients_in(source)) == {"one", "two"}
