"""The budgets page: what is capped and used, one budget's change with its effect, and its undoing."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from costs import budget_page
from costs.budgets import BudgetConflict, BudgetError, Saved, check_scope, remove_budget, save_budget
from costs.days import local_today
from costs.models import CostBudget
from costs.throttle.scopes import GLOBAL, KINDS, Scope
from healthpilot.web import states
from healthpilot.web.access import has_role, role_required
from healthpilot.web.pages import CursorError
from healthpilot.web.roles import Role
from systemstatus.notify import channels

UNDO = signing.Signer(salt="costs.budget_views.undo")
LATER = "Saved, but Redis is away: checks learn of it when it is back."


@role_required(Role.VIEWER)
@never_cache
@require_safe
def budgets(request: HttpRequest) -> HttpResponse:
    """List the budgets with what is used of them, and what checks answered lately."""
    waiting_only = request.GET.get("answers") != "all"
    try:
        page = budget_page.decisions_page(waiting_only=waiting_only, cursor=request.GET.get("cursor"))
    except CursorError:
        page = budget_page.decisions_page(waiting_only=waiting_only, cursor=None)
    table = budget_page.budgets_table(local_today(timezone.now()))
    decisions = budget_page.decisions_table(page, query={} if waiting_only else {"answers": "all"})
    context = {
        "table": table,
        "state": states.ready() if table.rows else NO_BUDGETS,
        "decisions": decisions,
        "decisions_state": states.ready() if decisions.rows else NO_DECISIONS[waiting_only],
        "waiting_only": waiting_only,
        "kinds": [kind for kind in KINDS if kind != GLOBAL],
        "may_change": has_role(request, Role.ADMIN),
        "told_by": [channel.title for channel in channels.configured().values()],
    }
    return render(request, "costs/budgets.html", context)


NO_BUDGETS = states.empty(
    "Nothing is capped yet", "All work runs, whatever it costs. Choose below what to cap first."
)
NO_DECISIONS = {
    True: states.empty(
        "Nobody waits for a budget", "Work that a budget holds back shows here, with the reason."
    ),
    False: states.empty("No budget was asked in the last 30 days", "Jobs and AI calls ask before they run."),
}


@role_required(Role.ADMIN)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def budget(request: HttpRequest) -> HttpResponse:
    """Show one scope's caps to change, and save them."""
    scope = Scope(request.GET.get("scope", GLOBAL), request.GET.get("key", "").strip())
    try:
        check_scope(scope)
    except BudgetError as error:
        messages.error(request, str(error))
        return redirect("costs:budgets")
    if request.method == "POST":
        return save(request, scope)
    proposed = {cap.name: request.GET[cap.name] for cap in budget_page.CAPS if cap.name in request.GET}
    return form(request, scope, typed=proposed or None)


def save(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Save what was typed, or say line by line why not."""
    typed = typed_caps(request)
    limits, errors = budget_page.checked(typed)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        errors["reason"] = "Say why: it is kept in the audit trail."
    if errors:
        return form(request, scope, typed=typed, errors=errors, reason=reason, status=422)
    try:
        seen = datetime.fromisoformat(text) if (text := request.POST.get("seen", "")) else None
    except ValueError:
        seen = None
    actor = request.user.get_username()
    try:
        saved = save_budget(scope, limits, actor=actor, reason=reason, seen=seen, must_be_seen=True)
    except BudgetConflict as error:
        return form(request, scope, typed=typed, errors={"conflict": str(error)}, reason=reason, status=409)
    said = f"The budget of {budget_page.title(scope).lower()} is saved and binds from the next check on."
    messages.success(request, said if saved.is_published else LATER)
    request.session["budget_undo"] = undo_token(scope, saved)
    return redirect(budget_page.edit_url(scope))


def form(
    request: HttpRequest,
    scope: Scope,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    reason: str = "",
    status: int = 200,
) -> HttpResponse:
    """Return the page with the change form, as it is or as it was typed."""
    row = CostBudget.objects.filter(apply_scope=scope.kind, scope_key=scope.key).first()
    errors = errors or {}
    changes = budget_page.change_lines(scope, row, typed, errors)
    limits, _ = budget_page.checked({line["name"]: line["value"] for line in changes})
    context: dict[str, Any] = {
        "scope": scope,
        "title": budget_page.title(scope),
        "budget": row,
        "changes": changes,
        "effect": budget_page.effect(scope, limits),
        "effect_url": budget_page.edit_url(scope, name="costs:budget_effect"),
        "action": budget_page.edit_url(scope),
        "simulation_url": budget_page.edit_url(scope, name="costs:budget_simulation"),
        "simulation_days": (7, 30),
        "seen": row.updated_at.isoformat() if row else "",
        "conflict": errors.get("conflict", ""),
        "reason": reason,
        "reason_error": errors.get("reason", ""),
        "undo": request.session.get("budget_undo", "") if row and not typed else "",
    }
    context["last"] = last_change(context["undo"], scope, row)
    return render(request, "costs/budget.html", context, status=status)


def typed_caps(request: HttpRequest) -> dict[str, str]:
    """Return the caps as they were typed, by column."""
    return {cap.name: request.POST.get(cap.name, "") for cap in budget_page.CAPS}


@role_required(Role.ADMIN)
@require_POST
def effect(request: HttpRequest) -> HttpResponse:
    """Say again what the typed caps would do."""
    scope = Scope(request.GET.get("scope", GLOBAL), request.GET.get("key", "").strip())
    limits, errors = budget_page.checked(
        {cap.name: request.POST.get(cap.name, "") for cap in budget_page.CAPS}
    )
    said = budget_page.effect(scope, limits)
    said["lines"] = [{"status": "error", "text": text} for text in errors.values()] + said["lines"]
    return render(request, "costs/_budget_effect.html", {"effect": said})


@role_required(Role.ADMIN)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Bring back the caps from before the last change, unless somebody changed them since."""
    try:
        told = UNDO.unsign_object(request.POST.get("undo", "") or request.session.get("budget_undo", ""))
    except signing.BadSignature:
        messages.error(request, "There is nothing to undo here.")
        return redirect("costs:budgets")
    scope = Scope(told["kind"], told["key"])
    seen = datetime.fromisoformat(told["seen"])
    actor = request.user.get_username()
    try:
        if told["before"] is None:
            remove_budget(scope, actor=actor, reason="Undone", seen=seen)
        else:
            limits = {name: None if cap == "no cap" else cap for name, cap in told["before"].items()}
            save_budget(scope, limits, actor=actor, reason="Undone", seen=seen, must_be_seen=True)
    except BudgetConflict as error:
        messages.error(request, f"Not undone. {error}")
    else:
        messages.success(request, f"The budget of {budget_page.title(scope).lower()} is as it was before.")
    request.session.pop("budget_undo", None)
    return redirect(budget_page.edit_url(scope))


def undo_token(scope: Scope, saved: Saved) -> str:
    """Return what an undo needs, signed: the caps before, and the state that it may be applied to."""
    seen = saved.budget.updated_at.isoformat()
    return UNDO.sign_object({"kind": scope.kind, "key": scope.key, "before": saved.before, "seen": seen})


def last_change(token: str, scope: Scope, row: CostBudget | None) -> dict[str, str] | None:
    """Return the line that offers to undo, while the budget is as this person's last change left it."""
    try:
        told = UNDO.unsign_object(token)
    except signing.BadSignature:
        return None
    is_this = (told["kind"], told["key"]) == (scope.kind, scope.key)
    if not (is_this and row and row.updated_at.isoformat() == told["seen"]):
        return None
    return {
        "text": f"You changed this at {row.updated_at:%H:%M} UTC.",
        "undo_url": reverse("costs:budget_undo"),
    }
