"""The page of a simulation: what proposed caps would have done, before anybody saves them."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from costs import budget_page
from costs.budgets import BudgetError, check_scope
from costs.days import local_today
from costs.histories import TooMuchError, bounded
from costs.simulation import bands
from costs.simulation import page as pages
from costs.simulation.simulate import TooManyRows, caps_from, last_days
from costs.simulation.who import look
from costs.throttle.scopes import GLOBAL, Scope
from healthpilot.web.access import has_role, role_required
from healthpilot.web.answers import wants_fragment
from healthpilot.web.pages import CursorError, Page
from healthpilot.web.roles import Role

DAYS: Final = (7, 30)
LIMIT_MS: Final = 2500
USERS_SHOWN: Final = 20
PAGE, SUMMARY = "costs/simulation.html", "costs/_simulation.html"


@role_required(Role.VIEWER)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def simulation(request: HttpRequest) -> HttpResponse:
    """Replay past days against the caps in the address; a POST of the change form leads to that address."""
    scope = Scope(request.GET.get("scope", GLOBAL), request.GET.get("key", "").strip())
    try:
        check_scope(scope)
    except BudgetError as error:
        messages.error(request, str(error))
        return redirect("costs:budgets")
    given = request.POST if request.method == "POST" else request.GET
    typed = {cap.name: given.get(cap.name, "").strip() for cap in budget_page.CAPS}
    days = int(given["days"]) if given.get("days") in {str(days) for days in DAYS} else DAYS[0]
    address = address_of(scope, typed, days)
    if request.method == "POST" and not wants_fragment(request):
        return redirect(address)
    limits, errors = budget_page.checked(typed)
    context = {"scope": scope, "title": budget_page.title(scope), "days": days, "address": address}
    context |= {"choices": [(one, address_of(scope, typed, one)) for one in DAYS], "errors": named(errors)}
    context |= {"change_url": change_url(scope, typed), "may_change": has_role(request, Role.ADMIN)}
    context |= {"job_url": job_url(address), "may_run": has_role(request, Role.OPERATOR)}
    context["tried"] = pages.changes(scope, limits)
    if not errors:
        context |= replayed(scope, limits, days, cursor=request.GET.get("cursor"), address=address)
    template = SUMMARY if request.method == "POST" else PAGE
    return render(request, template, context, status=422 if errors and request.method != "POST" else 200)


def replayed(
    scope: Scope, limits: Mapping[str, Any], days: int, *, cursor: str | None, address: str
) -> dict[str, Any]:
    """Return what the replay found, or that it is too much for a request."""
    span = last_days(days, local_today(timezone.now()))
    caps = caps_from(limits)
    try:
        with bounded(LIMIT_MS):
            try:
                found, page = look(scope, caps, span, cursor=cursor, limit=USERS_SHOWN)
            except CursorError:
                found, page = look(scope, caps, span, cursor=None, limit=USERS_SHOWN)
    except (TooMuchError, TooManyRows):
        return {"is_too_much": True}
    shown = pages.shown(found, limits, page.rows)
    ends = {"first_on": span.first_on, "last_on": span.last_on}
    return tables_of(shown) | ends | {"users": pages.users_table(shown.users, **neighbours(page, address))}


def tables_of(shown: pages.Shown) -> dict[str, Any]:
    """Return the context of everything but the users' table."""
    return {
        "shown": shown,
        "bands": [
            {"label": one["label"], "drawing": bands.drawing(one["from_s"], who=one["label"])}
            for one in shown.bands
        ],
        "days_table": pages.days_table(shown.days),
        "method": pages.METHOD,
    }


def neighbours(page: Page[Any], address: str) -> dict[str, str]:
    """Return the addresses of the users' neighbouring pages."""

    def url(cursor: str | None) -> str:
        return f"{address}&{urlencode({'cursor': cursor})}#simulated-users" if cursor else ""

    return {"previous_url": url(page.previous_cursor), "next_url": url(page.next_cursor)}


def address_of(scope: Scope, typed: Mapping[str, str], days: int) -> str:
    """Return the address under which this simulation is found again."""
    caps = {name: text for name, text in typed.items() if text}
    query = {"scope": scope.kind, "key": scope.key, "days": days, **caps}
    return f"{reverse('costs:budget_simulation')}?{urlencode(query)}"


def job_url(address: str) -> str:
    """Return where a POST begins the same replay as a job."""
    return f"{reverse('costs:simulation_job')}?{address.partition('?')[2]}"


def change_url(scope: Scope, typed: Mapping[str, str]) -> str:
    """Return the address of the change form with these caps filled in."""
    return f"{budget_page.edit_url(scope)}&{urlencode(dict(typed))}"


def named(errors: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the caps, each by its label."""
    labels = {cap.name: cap.label for cap in budget_page.CAPS}
    return [f"{labels[name]}: {said}" for name, said in errors.items()]
