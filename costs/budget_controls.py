"""The budget controls beside the cost figures: each cap with its used share, to be changed in place.

They are a fragment of their own, for what changes a budget holds a token, and the page around it is kept.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from costs import budget_page, budget_queries
from costs.budget_page import CAPS, PLACES
from costs.days import local_today
from costs.models import CostBudget
from costs.throttle.caps import NONE, caps_of, scope_of
from costs.throttle.scopes import EACH_USER, GLOBAL, Scope
from healthpilot.web.access import has_role, role_required
from healthpilot.web.pages import MAX_LIMIT
from healthpilot.web.roles import Role

SHOWN: Final = 6


@dataclass(frozen=True)
class CapLine:
    """One cap: what it is, and how much of it is used; None where that is counted for each user."""

    label: str
    text: str
    used: int | None
    status: str


@dataclass(frozen=True)
class Control:
    """One scope's caps as they stand."""

    scope: Scope
    title: str
    lines: list[CapLine]

    @property
    def id(self) -> str:
        """Return what the control is called in the page; a scope's key may hold anything."""
        return control_id(self.scope)

    @property
    def edit_url(self) -> str:
        return budget_page.edit_url(self.scope)


def control_id(scope: Scope) -> str:
    return "control-" + hashlib.blake2b(scope.name.encode(), digest_size=6).hexdigest()


@role_required(Role.VIEWER)
@never_cache
@require_safe
def controls(request: HttpRequest) -> HttpResponse:
    """Show the first budgets with what is used of each cap; with a scope in the address, that one alone."""
    if "scope" in request.GET:
        scope = Scope(request.GET["scope"], request.GET.get("key", ""))
        return render(request, "costs/_budget_control.html", one(request, scope))
    ordered = budget_queries.first(MAX_LIMIT)
    today = local_today(timezone.now())
    used = budget_page.usage_by([scope_of(row) for row in ordered[:SHOWN]], today)
    everything = Scope(GLOBAL)
    context = {
        "controls": [control_of(row, used[scope_of(row)]) for row in ordered[:SHOWN]],
        "rest": max(0, len(ordered) - SHOWN),
        "may_change": has_role(request, Role.ADMIN),
        "first": {"id": control_id(everything), "edit_url": budget_page.edit_url(everything)},
    }
    return render(request, "costs/_budget_controls.html", context)


def one(request: HttpRequest, scope: Scope, **more: Any) -> dict[str, Any]:
    """Return the context of one scope's control."""
    row = CostBudget.objects.filter(apply_scope=scope.kind, scope_key=scope.key).first()
    row = row or CostBudget(apply_scope=scope.kind, scope_key=scope.key, **budget_page.no_caps())
    control = control_of(row, budget_page.usage_of(scope, local_today(timezone.now())))
    return {"control": control, "may_change": has_role(request, Role.ADMIN), **more}


def control_of(row: CostBudget, used: Sequence[int]) -> Control:
    """Return one budget's control, with the caps that it has."""
    scope, caps = scope_of(row), caps_of(row)
    lines = []
    for cap in CAPS:
        place = PLACES[cap.name]
        if caps[place] != NONE:
            share = None if scope.key == EACH_USER else budget_page.percent(used[place], caps[place])
            text = budget_page.current(cap, getattr(row, cap.name))
            lines.append(CapLine(cap.label, text, share, budget_page.status_of(share)))
    return Control(scope, budget_page.title(scope), lines)


def control_url(scope: Scope) -> str:
    """Return the address of one scope's control."""
    return budget_page.edit_url(scope, name="costs:budget_controls")
