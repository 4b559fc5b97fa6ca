"""The pages of model prices: the list, one model's history, a new price, and repricing of closed days."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from costs.days import local_today
from costs.job_views import begin
from costs.models import ModelPrice
from costs.prices import queries, repricing
from costs.prices.forms import PriceForm, SpanForm
from costs.prices.repricing import DayDifference, PreviewOutdated
from costs.prices.setting import PriceConflict, newest_id, set_price
from costs.pricing import plain
from costs.rollup import LeaseLost, RollupBusy
from costs.rollup.rates import current_constants
from costs.usage import UsageError
from healthpilot.web import numbers
from healthpilot.web.access import has_role, role_required
from healthpilot.web.pages import CursorError
from healthpilot.web.roles import Role

DAYS_IN_A_REQUEST = 31
MOST_IN_A_JOB = 1000
ALREADY = "These days were repriced a moment ago."


@role_required(Role.VIEWER)
@require_safe
@never_cache
def prices(request: HttpRequest) -> HttpResponse:
    """List the models with a price, those without one above them."""
    today = local_today(timezone.now())
    try:
        page = queries.priced(today, cursor=request.GET.get("cursor"))
    except CursorError:
        page = queries.priced(today, cursor=None)
    context = {
        "page": page,
        "unpriced": queries.unpriced(),
        "constants": constants_per_million(),
        "may_set": has_role(request, Role.ADMIN),
        "today": today,
        **repricing.differences(repricing.preview(*SpanForm({}, today=today).span())),
    }
    return render(request, "costs/prices.html", context)


@role_required(Role.VIEWER)
@require_safe
@never_cache
def history(request: HttpRequest) -> HttpResponse:
    """Show every price that a model ever had, superseded ones included."""
    model = request.GET.get("model", "")
    rows = queries.history(model) if "\x00" not in model else []
    today = local_today(timezone.now())
    context = {
        "model": model,
        "rows": rows,
        "today": today,
        "may_set": has_role(request, Role.ADMIN),
        **repricing.differences(repricing.preview(*SpanForm({}, today=today).span())),
    }
    return render(request, "costs/price_history.html", context, status=200 if rows else 404)


@role_required(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def set_model_price(request: HttpRequest) -> HttpResponse:
    """Ask for a model's price; a POST sets it, unless somebody else set one since the form was made."""
    today = local_today(timezone.now())
    if request.method != "POST":
        form = PriceForm(initial=beginning(request.GET.get("model", "")), today=today)
        return render(request, "costs/price_form.html", form_context(form))
    form = PriceForm(request.POST, today=today)
    if not form.is_valid():
        return render(request, "costs/price_form.html", form_context(form), status=422)
    try:
        price = set_price(
            form.new_price(created_by=request.user.get_username()), seen=form.cleaned_data["seen"] or 0
        )
    except PriceConflict as error:
        context = form_context(renewed(form)) | {"conflict": error.newest}
        return render(request, "costs/price_form.html", context, status=409)
    messages.success(request, f"{price.llm_model} has this price from {price.effective_from} on.")
    return redirect(f"{reverse('costs:price_history')}?{urlencode({'model': price.llm_model})}")


def beginning(model: str) -> dict[str, Any]:
    """Return what the form starts with: the model's newest price."""
    model = model.replace("\x00", "")[:40]
    rows = ModelPrice.objects.filter(llm_model=model, superseded_at=None)
    row = rows.order_by("-effective_from").first()
    start: dict[str, Any] = {"llm_model": model, "seen": newest_id(model)}
    start["effective_from"] = local_today(timezone.now())
    if row:
        names = ("input_usd", "cached_usd", "output_usd", "request_usd")
        start |= {name: plain(amount) for name, amount in zip(names, row.amounts, strict=True)}
    return start


def renewed(form: PriceForm) -> PriceForm:
    """Return the form as it was sent, but knowing the rows there are now: sent again it is meant."""
    seen = {"seen": str(newest_id(form.cleaned_data["llm_model"]))}
    return PriceForm(
        {**form.data.dict(), **seen} if isinstance(form.data, QueryDict) else seen, today=form.today
    )


def form_context(form: PriceForm) -> dict[str, Any]:
    model = form["llm_model"].value() or ""
    known = queries.history(model) if model and "\x00" not in model else []
    valid = [row for row in known if row.superseded_at is None]
    return {"form": form, "model": model, "valid": valid, "constants": constants_per_million()}


def constants_per_million() -> dict[str, str]:
    """Return what a million tokens cost where no price row says otherwise, in USD."""
    constants = current_constants()
    return {name: numbers.money(Decimal(constants[f"{name}_usd"]).scaleb(6)) for name in ("input", "output")}


@role_required(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def reprice(request: HttpRequest) -> HttpResponse:
    """Show by how much closed days would change; a POST applies exactly that, or shows what changed since."""
    today = local_today(timezone.now())
    form = SpanForm(request.POST if request.method == "POST" else request.GET, today=today)
    first, last = form.span()
    days = repricing.preview(first, last)
    shown = days[:DAYS_IN_A_REQUEST]
    context = {
        "days": shown,
        "rest": len(days) - len(shown),
        "version": repricing.version_of(shown),
        "all_days": days[:MOST_IN_A_JOB],
        "version_of_all": repricing.version_of(days[:MOST_IN_A_JOB]),
        "waiting": [day.on for day in shown if day.is_waiting],
        "first": first,
        "last": last,
        "shown_total": repricing.totals(shown),
        **repricing.differences(days),
    }
    if request.method != "POST":
        return render(request, "costs/reprice.html", context)
    return applied(request, shown, context)


def as_job(request: HttpRequest, days: list[DayDifference]) -> HttpResponse:
    """Reprice all days that differ as a job; it leaves a day alone that changed since."""
    versions = {f"{day.on}": day.version for day in days}
    payload = {"days": versions, "actor": request.user.get_username()}
    return begin(request, "costs.reprice", payload, "costs.reprice")


def applied(request: HttpRequest, days: list[DayDifference], context: dict[str, Any]) -> HttpResponse:
    """Reprice the days if they are still those that were shown."""
    if not days:
        messages.info(request, ALREADY)
        return redirect("costs:prices")
    seen = "version_of_all" if "as_job" in request.POST else "version"
    if request.POST.get(seen) != context[seen]:
        return render(request, "costs/reprice.html", context | {"outdated": True}, status=409)
    if "as_job" in request.POST:
        return as_job(request, context["all_days"])
    done: list[DayDifference] = []
    try:
        for day, _ in repricing.apply(days):
            done.append(day)
    except (PreviewOutdated, RollupBusy, LeaseLost, UsageError) as error:
        messages.error(request, str(error))
        return redirect("costs:reprice")
    finally:
        tell_of(done, request)
    return redirect("costs:prices")


def tell_of(done: list[DayDifference], request: HttpRequest) -> None:
    """Say which days were repriced, and keep it in the audit trail; they stay so whatever came after."""
    if not done:
        return
    repricing.keep(done, actor=request.user.get_username())
    total = repricing.signed(repricing.totals(done))
    messages.success(
        request, f"{len(done)} {'day' if len(done) == 1 else 'days'} repriced: difference {total} USD."
    )
