"""/api/admin/cost/budgets: caps as JSON, each scope's set by POST. A cap that is null is no cap."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema
from pydantic import BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from costs import budget_queries
from costs.budgets import (
    COUNTS,
    SUMS,
    BudgetConflict,
    BudgetError,
    BudgetInUse,
    check_scope,
    remove_budget,
    save_budget,
)
from costs.days import local_today
from costs.models import NO_CAP, NO_CAP_USD, CostBudget
from costs.throttle import truth
from costs.throttle.amounts import usd
from costs.throttle.caps import scope_of
from costs.throttle.scopes import EACH_USER, Scope
from healthpilot.tokens.access import token_or_role
from healthpilot.tokens.scopes import BUDGETS_WRITE, COST_READ
from healthpilot.web import numbers
from healthpilot.web.answers import ErrorBody, json_error
from healthpilot.web.pages import MAX_LIMIT, clamped
from healthpilot.web.roles import Role

router = Router(tags=["budgets"])
NO_NUL: Final = r"^[^\x00]*$"


def no_flag(value: object) -> object:
    """Refuse true, which would be read as one."""
    if isinstance(value, bool):
        raise PydanticCustomError("count", "must be a whole number")
    return value


Count = Annotated[int, BeforeValidator(no_flag)]


class CapsBody(Schema):
    """Caps of a local day, and of a month's spend. Null is no cap, 0 admits nothing."""

    daily_cpu_ms_cap: Count | None = None
    daily_jobs_cap: Count | None = None
    llm_input_tokens_cap: Count | None = None
    llm_output_tokens_cap: Count | None = None
    daily_cost_usd_cap: str | None = Field(None, description="US dollars as a string, six decimals at most.")
    monthly_cost_usd_cap: str | None = None


class UsedBody(Schema):
    """What the scope used today, as of the last rollup."""

    cpu_ms: int
    jobs: int
    input_tokens: int
    output_tokens: int
    day_usd: str
    month_usd: str


class BudgetBody(CapsBody):
    """One scope's budget."""

    apply_scope: str = Field(description="global, tier, domain or user.")
    scope_key: str = Field("", description="Empty for global; '*' stands for each user without a budget.")
    updated_by: str
    updated_at: datetime
    used: UsedBody | None = Field(description="Null for '*', which is counted for each user.")


class BudgetsQuery(Schema):
    """A page of the list of budgets."""

    limit: int = Field(MAX_LIMIT, ge=1, description=f"Page size; more than {MAX_LIMIT} gives {MAX_LIMIT}.")
    cursor: str | None = Field(None, description="next_cursor or previous_cursor of a page before.")


class BudgetsBody(Schema):
    budgets: list[BudgetBody]
    next_cursor: str | None = Field(description="For the page after this one; null at the end.")
    previous_cursor: str | None = Field(description="For the page before this one; null at the beginning.")


class SavedBody(BudgetBody):
    in_force: bool = Field(description="False while Redis is away: checks learn of it when it is back.")


class SaveBody(CapsBody):
    """The caps to set; those left out stay as they are."""

    # A cap whose name is misspelled would not bind, and nobody would know.
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "apply_scope": "tier",
                "scope_key": "free",
                "daily_cost_usd_cap": "25",
                "daily_jobs_cap": 500,
            }
        },
    )

    apply_scope: str
    scope_key: str = ""
    reason: str = Field("", max_length=500, pattern=NO_NUL, description="Kept in the audit trail.")
    if_updated_at: datetime | None = Field(
        None, description="updated_at as you saw it; the answer is 409 when somebody saved since."
    )


class RemoveParameters(Schema):
    """Which budget to remove."""

    apply_scope: str = Field(description="global, tier, domain or user.")
    scope_key: str = Field("", description="Empty for global; '*' stands for each user without a budget.")
    reason: str = Field("", max_length=500, description="Kept in the audit trail.")
    release: bool = Field(False, description="The work that waits because of it may run at once.")
    if_updated_at: datetime | None = Field(
        None, description="updated_at as you saw it; the answer is 409 when somebody saved since."
    )


class RemovedBody(Schema):
    removed: bool
    in_force: bool = Field(description="False while Redis is away: checks learn of it when it is back.")


@router.get(
    "/budgets",
    auth=token_or_role(COST_READ, Role.ADMIN),
    response={200: BudgetsBody, 401: ErrorBody, 403: ErrorBody, 422: ErrorBody},
    operation_id="cost_budgets",
    summary="Budgets and what they leave",
)
def budgets(request: HttpRequest, query: Query[BudgetsQuery]) -> dict[str, Any]:
    """Return budgets, global first, then tiers, domains and users by key, a page at a time."""
    page = budget_queries.budgets(limit=clamped(query.limit), cursor=query.cursor)
    named = [scope_of(row) for row in page.rows if row.scope_key != EACH_USER]
    usage = truth.rolled_usage(named, local_today(timezone.now()))
    return {
        "budgets": [shown(row, usage.get(scope_of(row))) for row in page.rows],
        "next_cursor": page.next_cursor,
        "previous_cursor": page.previous_cursor,
    }


@router.post(
    "/budgets",
    auth=token_or_role(BUDGETS_WRITE, Role.ADMIN),
    response={200: SavedBody, 401: ErrorBody, 403: ErrorBody, 409: ErrorBody, 422: ErrorBody},
    operation_id="save_cost_budget",
    summary="Set a scope's caps",
)
def save(request: HttpRequest, body: SaveBody) -> Any:
    """Make the scope's budget or change it; it binds from the next check on."""
    given = body.model_dump(exclude_unset=True)
    limits: dict[str, Any] = {name: given[name] for name in (*COUNTS, *SUMS) if name in given}
    try:
        saved = save_budget(
            Scope(body.apply_scope, body.scope_key),
            limits,
            actor=actor_of(request),
            reason=body.reason,
            seen=body.if_updated_at,
            must_be_seen=body.if_updated_at is not None,
        )
    except BudgetError as error:
        return refused("invalid_budget", f"{error.field}: {error}", "Correct it and send it again.", 422)
    except BudgetConflict as error:
        return refused("budget_conflict", str(error), "Read it with GET, then send it again.", 409)
    scope, today = scope_of(saved.budget), local_today(timezone.now())
    usage = None if scope.key == EACH_USER else truth.rolled_usage([scope], today)[scope]
    return shown(saved.budget, usage) | {"in_force": saved.is_published}


@router.delete(
    "/budgets",
    auth=token_or_role(BUDGETS_WRITE, Role.ADMIN),
    response={200: RemovedBody, 401: ErrorBody, 403: ErrorBody, 409: ErrorBody, 422: ErrorBody},
    operation_id="remove_cost_budget",
    summary="Remove a scope's budget",
)
def remove(request: HttpRequest, asked: Query[RemoveParameters]) -> Any:
    """Remove the scope's budget; its work runs from the next check on."""
    scope = Scope(asked.apply_scope, asked.scope_key)
    try:
        check_scope(scope)
        is_published = remove_budget(
            scope,
            actor=actor_of(request),
            reason=asked.reason,
            seen=asked.if_updated_at,
            may_release=asked.release,
        )
    except BudgetError as error:
        return refused("invalid_budget", f"{error.field}: {error}", "Correct it and send it again.", 422)
    except BudgetConflict as error:
        return refused("budget_conflict", str(error), "Read it with GET, then send it again.", 409)
    except BudgetInUse as error:
        return refused("budget_in_use", str(error), "Send it again with release=true.", 409)
    return {"removed": True, "in_force": is_published}


def refused(code: str, message: str, remedy: str, status: int) -> HttpResponse:
    return json_error(code, message, remedy, status=status)


def actor_of(request: HttpRequest) -> str:
    """Return who asks, as the audit trail names them: an account, or a token by its name."""
    who: Any = request.auth  # type: ignore[attr-defined] # ninja puts it there
    return f"token {who.name}" if hasattr(who, "scopes") else str(who.get_username())


def shown(budget: CostBudget, usage: truth.Usage | None) -> dict[str, Any]:
    """Return one budget as its body, with what its scope used."""
    counts = {name: getattr(budget, name) for name in COUNTS}
    sums = {name: getattr(budget, name) for name in SUMS}
    return {
        "apply_scope": budget.apply_scope,
        "scope_key": budget.scope_key,
        **{name: None if cap >= NO_CAP else cap for name, cap in counts.items()},
        **{name: None if cap >= NO_CAP_USD else numbers.plain(cap) for name, cap in sums.items()},
        "updated_by": budget.updated_by,
        "updated_at": budget.updated_at,
        "used": used(usage) if usage else None,
    }


def used(usage: truth.Usage) -> dict[str, Any]:
    """Return what a scope used today and in the month."""
    today = usage.today
    return {
        "cpu_ms": today.cpu_ms,
        "jobs": today.jobs,
        "input_tokens": today.input_tokens,
        "output_tokens": today.output_tokens,
        "day_usd": money(usd(today.cost_nano)),
        "month_usd": money(usd(today.cost_nano + usage.month_nano)),
    }


def money(amount: Decimal) -> str:
    return numbers.plain(amount)
