"""Every route of the site declares who may use it, and each role gets exactly that."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from healthpilot.portals.api import api
from healthpilot.tokens.access import BearerToken, TokenOnly
from healthpilot.tokens.scopes import SCOPES
from healthpilot.web.access import Rule, StaffSession
from healthpilot.web.roles import Role
from tests.costs.factories import bearer, make_token, make_visitor, make_with_role

# Views of packages cannot carry a declaration, so theirs stands here: by the start of the route's name.
SIGNED_IN, TABLES, BY_TOKEN = "signed in", "superusers", "token alone"
OF_PACKAGES = {
    "account_login": "everybody",
    "account_logout": "everybody",
    "account_inactive": "everybody",
    "account_": SIGNED_IN,
    "mfa_authenticate": "everybody",
    "mfa_": SIGNED_IN,
    "admin:login": "everybody",
    "admin:logout": "everybody",
    "admin:": TABLES,
    "api:api-root": "everybody",
}
SAMPLES = {"int": "1", "uuid": "00000000-0000-0000-0000-000000000000", "path": "x", "slug": "x", "str": "x"}

Declared = Rule | str | None


def routes(
    found: list[URLPattern | URLResolver], prefix: str = "", space: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Yield route, full name and view of every pattern below."""
    for one in found:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            inside = f"{one.namespace}:" if one.namespace else space
            yield from routes(one.url_patterns, route, inside)
        else:
            yield route, f"{space}{one.name or ''}", one.callback


def operations() -> dict[str, list[Any]]:
    """Return the API's operations by the route they answer."""
    return {
        f"api{router.prefix}{path}".replace("{", "<").replace("}", ">"): view.operations
        for router in api._get_bound_routers()
        for path, view in router.path_operations.items()
    }


def rule_of(route: str, name: str, view: Any) -> Declared:
    if (rule := getattr(view, "access_rule", None)) is not None:
        return rule  # type: ignore[no-any-return] # the client returns any JSON
    if route in operations():
        return min((rule_of_operation(one) for one in operations()[route]), key=str)
    return next((rule for start, rule in OF_PACKAGES.items() if name.startswith(start)), None)


def rule_of_operation(operation: Any) -> Declared:
    sessions = [check.role for check in operation.auth_callbacks if isinstance(check, StaffSession)]
    if sessions:
        return min(sessions)
    return BY_TOKEN if any(isinstance(check, TokenOnly) for check in operation.auth_callbacks) else None


ROUTES = sorted(routes(get_resolver().url_patterns), key=lambda found: found[0])


@pytest.mark.parametrize(("route", "name", "view"), ROUTES, ids=[f"{found[0]}" for found in ROUTES])
def test_every_route_declares_who_may_use_it(route: str, name: str, view: Any) -> None:
    assert rule_of(route, name, view) is not None, f"/{route} ({name}) has no access rule"


@pytest.mark.parametrize("route", operations())
def test_every_operation_takes_a_token_of_a_known_scope(route: str) -> None:
    for operation in operations()[route]:
        scopes = [check.scope for check in operation.auth_callbacks if isinstance(check, BearerToken)]
        assert len(scopes) == 1
        assert scopes[0] in SCOPES


def address(route: str) -> str:
    """Return an address that the route matches."""
    plain = re.sub(r"\^?\(\?P<\w+>([^|)]+)[^)]*\)([^$]*)\$", r"\1\2", route)
    return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "str", "x"), plain)


def method(route: str) -> str:
    """Return how a route is asked: by GET, where it takes it."""
    methods = {one for operation in operations().get(route, []) for one in operation.methods}
    return "GET" if "GET" in methods or not methods else "POST"


def lets_in(client: Client, path: str, *, by: str = "GET", **headers: Any) -> bool:
    answer = client.generic(by, path, headers=headers)
    return not (answer.status_code in {401, 403} or "/login/?next=" in answer.headers.get("Location", ""))


@pytest.mark.django_db
def test_each_role_gets_what_the_rules_say_and_no_more() -> None:
    visitors = {"anonymous": Client(), "visitor": Client(), **{role.group: Client() for role in Role}}
    visitors["visitor"].force_login(make_visitor())
    for role in Role:
        visitors[role.group].force_login(make_with_role(role))
    wrong = [
        f"{who} and /{route}: expected {'in' if expected else 'refused'}"
        for route, name, view in ROUTES
        if isinstance(rule := rule_of(route, name, view), Role)
        for who, client in visitors.items()
        if lets_in(client, address(route), by=method(route)) is not (expected := allowed(who, rule))
    ]
    assert not wrong


def allowed(who: str, rule: Role) -> bool:
    return any(role.group == who and role >= rule for role in Role)


@pytest.mark.django_db
@pytest.mark.parametrize("rule", [SIGNED_IN, TABLES, BY_TOKEN])
def test_what_is_not_for_everybody_refuses_the_anonymous(rule: str) -> None:
    paths = [address(route) for route, name, view in ROUTES if rule_of(route, name, view) == rule]
    assert not [path for path in paths if lets_in(Client(), path) and Client().get(path).status_code != 405]


@pytest.mark.django_db
def test_a_token_opens_the_routes_of_its_scopes_and_no_others() -> None:
    for scope in SCOPES:
        token = bearer(make_token(scope, name=scope))
        for route, found in operations().items():
            for operation in found:
                (needed,) = [c.scope for c in operation.auth_callbacks if isinstance(c, BearerToken)]
                if "GET" in operation.methods:
                    assert lets_in(Client(), address(route), **token) is (needed == scope), (scope, route)


@pytest.mark.django_db
def test_a_token_opens_no_page() -> None:
    token = bearer(make_token(*SCOPES))
    pages = [
        address(route)
        for route, name, view in ROUTES
        if isinstance(rule_of(route, name, view), Role) and not route.startswith("api/")
    ]
    assert pages
    assert not [path for path in pages if lets_in(Client(), path, **token)]
