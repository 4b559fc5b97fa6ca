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

from costs import budget_controls, budget_page, verdicts
from costs.budgets import (
    BudgetConflict,
    BudgetError,
    BudgetInUse,
    Saved,
    check_scope,
    held_back,
    remove_budget,
    save_budget,
)
from costs.days import local_today
from costs.models import CostBudget
from costs.throttle.scopes import GLOBAL, KINDS, Scope
from healthpilot.web import states
from healthpilot.web.access import has_role, role_required
from healthpilot.web.answers import wants_fragment
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
        page = verdicts.newest(waiting_only=waiting_only, cursor=request.GET.get("cursor"))
    except CursorError:
        page = verdicts.newest(waiting_only=waiting_only, cursor=None)
    table = budget_page.budgets_table(local_today(timezone.now()))
    rest = max(0, CostBudget.objects.count() - len(table.rows))
    decisions = verdicts.table(page, query={} if waiting_only else {"answers": "all"})
    context = {
        "table": table,
        "sentence": SHARES + (REST.format(rest=rest) if rest else ""),
        "state": states.ready() if table.rows else NO_BUDGETS,
        "decisions": decisions,
        "decisions_state": states.ready() if decisions.rows else NO_DECISIONS[waiting_only],
        "waiting_only": waiting_only,
        "kinds": [kind for kind in KINDS if kind != GLOBAL],
        "may_change": has_role(request, Role.ADMIN),
        "told_by": [channel.title for channel in channels.configured().values()],
    }
    return render(request, "costs/budgets.html", context)


SHARES = "Share of each cap that is used, as of the last rollup."
REST = " {rest:,} more bind as well: open one by its name below."
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
        return leave(request, str(error))
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
    actor, seen = request.user.get_username(), seen_by(request)
    try:
        saved = save_budget(scope, limits, actor=actor, reason=reason, seen=seen, must_be_seen=True)
    except BudgetConflict as error:
        return form(request, scope, typed=typed, errors={"conflict": str(error)}, reason=reason, status=409)
    said = f"The budget of {budget_page.title(scope).lower()} is saved and binds from the next check on."
    request.session["budget_undo"] = undo_token(scope, saved)
    return answered(request, scope, said if saved.is_published else LATER, is_good=saved.is_published)


def answered(request: HttpRequest, scope: Scope, said: str, *, is_good: bool = True) -> HttpResponse:
    """Say what became of a change: in the control that HTMX swaps in, or on the budget's page."""
    if not wants_fragment(request):
        (messages.success if is_good else messages.warning)(request, said)
        return redirect(budget_page.edit_url(scope))
    row = CostBudget.objects.filter(apply_scope=scope.kind, scope_key=scope.key).first()
    last = last_change(request.session.get("budget_undo", ""), scope, row)
    status = "ok" if is_good else "warn"
    context = budget_controls.one(request, scope, said=said, said_status=status, last=last)
    return render(request, "costs/_budget_control.html", context)


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
    context |= {
        "removal": errors.get("removal", ""),
        "remove_url": budget_page.edit_url(scope, name="costs:budget_remove"),
        "held_back": held_back(scope) if row else 0,
        "scope_id": budget_controls.control_id(scope),
        "control_url": budget_controls.control_url(scope),
    }
    template = "costs/_budget_editor.html" if wants_fragment(request) else "costs/budget.html"
    return render(request, template, context, status=status)


@role_required(Role.ADMIN)
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Remove a scope's budget; one for which work waits only when that work may run."""
    scope = Scope(request.GET.get("scope", GLOBAL), request.GET.get("key", ""))
    reason = request.POST.get("reason", "").strip()
    if not reason:
        return form(request, scope, errors={"removal": "Say why: it is kept in the audit trail."}, status=422)
    try:
        is_published = remove_budget(
            scope,
            actor=request.user.get_username(),
            reason=reason,
            seen=seen_by(request),
            may_release=request.POST.get("release") == "yes",
        )
    except (BudgetConflict, BudgetInUse) as error:
        return form(request, scope, errors={"removal": str(error)}, reason=reason, status=409)
    said = (
        f"The budget of {budget_page.title(scope).lower()} is removed; its work runs from the next check on."
    )
    return leave(request, said if is_published else LATER, level=messages.SUCCESS)


def leave(request: HttpRequest, said: str, *, level: int = messages.ERROR) -> HttpResponse:
    """Lead to the budgets with a message, also from a fragment."""
    messages.add_message(request, level, said)
    if wants_fragment(request):
        return HttpResponse(headers={"HX-Redirect": reverse("costs:budgets")})
    return redirect("costs:budgets")


def seen_by(request: HttpRequest) -> datetime | None:
    """Return the state of the budget that a form starts from, None for none."""
    try:
        return datetime.fromisoformat(request.POST.get("seen", ""))
    except ValueError:
        return None


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
        return leave(request, "There is nothing to undo here.")
    scope = Scope(told["kind"], told["key"])
    seen = datetime.fromisoformat(told["seen"])
    actor = request.user.get_username()
    try:
        if told["before"] is None:
            remove_budget(scope, actor=actor, reason="Undone", seen=seen, may_release=True)
        else:
            limits = {name: None if cap == "no cap" else cap for name, cap in told["before"].items()}
            save_budget(scope, limits, actor=actor, reason="Undone", seen=seen, must_be_seen=True)
    except BudgetConflict as error:
        said, is_good = f"Not undone. {error}", False
    else:
        said, is_good = f"The budget of {budget_page.title(scope).lower()} is as it was before.", True
    request.session.pop("budget_undo", None)
    return answered(request, scope, said, is_good=is_good)


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
