"""Pages that begin heavy work on costs: an export, a long replay, yesterday in words."""

import hashlib
import json
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from costs import budget_page, insight
from costs.budgets import BudgetError, check_scope
from costs.days import local_today
from costs.forms import asked
from costs.simulation.simulate import last_days
from costs.simulation.views import DAYS
from costs.throttle.scopes import GLOBAL, Scope
from healthpilot.dataqueue.enqueue import enqueue
from healthpilot.dataqueue.models import State
from healthpilot.web.access import has_role, role_required
from healthpilot.web.roles import Role


def begin(request: HttpRequest, kind: str, payload: dict[str, Any], unique_key: str) -> HttpResponse:
    """Put the work into the queue, once however often it is asked for, and lead to its job."""
    name = request.user.get_username()
    whose: dict[str, Any] = {"tier": settings.TIERS[-1], "user_id": f"staff:{name}"[:40], "domain": "reports"}
    job_id = enqueue(kind, payload, unique_key=unique_key[:120], actor=name, **whose)
    return redirect("dataqueue:job", job_id=job_id)


@role_required(Role.OPERATOR)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """Ask for the days to export; a POST begins the job."""
    given = request.POST if request.method == "POST" else request.GET
    question = asked(given, today=local_today(timezone.now()))
    if request.method == "POST" and not question.problems:
        span = {"first_on": f"{question.range.first_on}", "last_on": f"{question.range.last_on}"}
        key = f"costs.export:{span['first_on']}:{span['last_on']}"
        return begin(request, "costs.export", span, key)
    context = {
        "range": question.range,
        "problems": question.problems,
        "retention_days": settings.DATAQUEUE_RETENTION_DAYS,
    }
    return render(request, "costs/export.html", context, status=422 if question.problems else 200)


@role_required(Role.OPERATOR)
@require_POST
def simulate(request: HttpRequest) -> HttpResponse:
    """Begin a replay that is too much for a request, of the caps in the address."""
    scope = Scope(request.GET.get("scope", GLOBAL), request.GET.get("key", "").strip())
    caps = {cap.name: request.GET.get(cap.name, "").strip() for cap in budget_page.CAPS}
    days = int(request.GET["days"]) if request.GET.get("days") in {str(days) for days in DAYS} else DAYS[0]
    try:
        check_scope(scope)
    except BudgetError as error:
        messages.error(request, str(error))
        return redirect("costs:budgets")
    if budget_page.checked(caps)[1]:
        return redirect(f"{reverse('costs:budget_simulation')}?{request.GET.urlencode()}")
    span = last_days(days, local_today(timezone.now()))
    payload = {"scope": scope.kind, "key": scope.key, "caps": caps}
    payload |= {"first_on": f"{span.first_on}", "last_on": f"{span.last_on}"}
    asked_for = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
    return begin(request, "costs.simulate", payload, f"costs.simulate:{asked_for}")


UNWRITTEN: Final = {State.WAITING: "info", State.RUNNING: "info"} | dict.fromkeys(
    (State.DEAD, State.PARKED, State.CANCELLED), "error"
)


@role_required(Role.VIEWER)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def explain(request: HttpRequest) -> HttpResponse:
    """Show what a model wrote of the newest day that it explained; a POST asks for yesterday."""
    may_ask = has_role(request, Role.OPERATOR) and insight.is_configured()
    if request.method == "POST" and may_ask:
        return redirect("dataqueue:job", job_id=insight.ask(actor=request.user.get_username()))
    unwritten = insight.unwritten()
    context = {
        "job": insight.newest(),
        "unwritten": unwritten,
        "unwritten_status": UNWRITTEN.get(unwritten.state, "warn") if unwritten else "",
        "yesterday": insight.yesterday(),
        "is_configured": insight.is_configured(),
        "may_ask": may_ask,
        "figures": insight.figures(insight.yesterday()).splitlines(),
    }
    return render(request, "costs/insight.html", context, status=403 if request.method == "POST" else 200)
