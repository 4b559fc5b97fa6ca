"""The cost routes: each one range, one read, one body; unchanged figures answer 304."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router

from costs import cards, lists, queries, user_queries
from costs.api.bodies import (
    DaysBody,
    PartsBody,
    SummaryBody,
    UserDetailBody,
    UsersBody,
    card_body,
    list_body,
    range_body,
    row_body,
)
from costs.api.parameters import ListQuery, RangeQuery, UserQuery, UsersQuery, require_known
from costs.days import local_today
from costs.savings import Savings
from healthpilot.tokens.access import token_or_role
from healthpilot.tokens.scopes import COST_READ
from healthpilot.web.answers import ErrorBody
from healthpilot.web.etags import unless_known
from healthpilot.web.roles import Role

router = Router(auth=token_or_role(COST_READ, Role.ADMIN), tags=["cost"])

REFUSALS = {304: None, **dict.fromkeys((401, 403, 422, 429, 503), ErrorBody)}

Body = dict[str, Any]


def answered(
    request: HttpRequest, response: HttpResponse, query: RangeQuery, make: Callable[[], Body]
) -> Any:
    """Return the body, or 304 where the asker has it: it changes with a rollup or the day, and only then."""
    require_known(request, query)
    version = f"{queries.rollup_version()} {local_today(timezone.now())}"
    return unless_known(request, response, version, make)


@router.get(
    "/summary",
    response={200: SummaryBody, **REFUSALS},
    operation_id="cost_summary",
    summary="Key figures of a range",
)
def summary(request: HttpRequest, response: HttpResponse, query: Query[RangeQuery]) -> Any:
    """Return the figures of the cost page, each with a value per day."""
    return answered(request, response, query, lambda: summary_body(query))


def summary_body(query: RangeQuery) -> Body:
    asked = query.asked()
    rows = queries.days([*asked.previous_dates, *asked.dates])
    in_window = user_queries.window_users(asked)
    users = user_queries.user_count(asked, use_window=False) if in_window is None else in_window
    shown = cards.cards(asked, rows, users=users, unpriced=(), today=asked.today) + cards.sums(asked, rows)
    return {
        "range": range_body(asked),
        "as_of": queries.rolled_up_at(),
        "dates": asked.dates,
        "incomplete": [day for day in asked.dates if day >= asked.today],
        "cards": {card.key: card_body(card) for card in shown},
        "savings": Savings.of(rows[day] for day in asked.dates).as_json(),
    }


@router.get(
    "/users", response={200: UsersBody, **REFUSALS}, operation_id="cost_users", summary="Top users by cost"
)
def users(request: HttpRequest, response: HttpResponse, query: Query[UsersQuery]) -> Any:
    """Return users by their cost over the range, the dearest first, a page at a time."""

    def body() -> Body:
        asked = query.asked()
        page = user_queries.top_users(
            asked,
            use_window=user_queries.window_users(asked) is not None,
            limit=query.size,
            cursor=query.cursor,
            prefix=query.prefix,
        )
        return list_body(asked, query.size, page) | {"users": [row_body(row) for row in page.rows]}

    return answered(request, response, query, body)


@router.get(
    "/user",
    response={200: UserDetailBody, **REFUSALS},
    operation_id="cost_user",
    summary="One user, day by day",
)
def user(request: HttpRequest, response: HttpResponse, query: Query[UserQuery]) -> Any:
    """Return one user's sums over the range and its days, the first one first, a page at a time."""

    def body() -> Body:
        asked = query.asked()
        page = lists.user_series(query.user_id, asked, limit=query.size, cursor=query.cursor)
        total = lists.user_total(query.user_id, asked)
        return list_body(asked, query.size, page) | {
            "user": row_body(total, user_id=query.user_id),
            "days": [row_body(row, date=day) for day, row in page.rows],
        }

    return answered(request, response, query, body)


@router.get(
    "/days", response={200: DaysBody, **REFUSALS}, operation_id="cost_days", summary="Every day of a range"
)
def days(request: HttpRequest, response: HttpResponse, query: Query[ListQuery]) -> Any:
    """Return what everything cost, day by day, the first one first, a page at a time."""

    def body() -> Body:
        asked = query.asked()
        page = lists.series(asked, limit=query.size, cursor=query.cursor)
        rows = [row_body(row, date=day, complete=day < asked.today) for day, row in page.rows]
        return list_body(asked, query.size, page) | {"days": rows}

    return answered(request, response, query, body)


@router.get(
    "/tiers", response={200: PartsBody, **REFUSALS}, operation_id="cost_tiers", summary="Tiers by cost"
)
def tiers(request: HttpRequest, response: HttpResponse, query: Query[ListQuery]) -> Any:
    """Return what each tier cost over the range, the dearest first, by each event's own tier."""
    return answered(request, response, query, lambda: parts_body("tier", query))


@router.get(
    "/domains", response={200: PartsBody, **REFUSALS}, operation_id="cost_domains", summary="Domains by cost"
)
def domains(request: HttpRequest, response: HttpResponse, query: Query[ListQuery]) -> Any:
    """Return what each domain cost over the range, the dearest first, a page at a time."""
    return answered(request, response, query, lambda: parts_body("domain", query))


@router.get(
    "/models", response={200: PartsBody, **REFUSALS}, operation_id="cost_models", summary="Models by cost"
)
def models(request: HttpRequest, response: HttpResponse, query: Query[ListQuery]) -> Any:
    """Return what each LLM cost over the range, the dearest first, a page at a time; jobs have no model."""
    return answered(request, response, query, lambda: parts_body("model", query))


def parts_body(kind: lists.Kind, query: ListQuery) -> Body:
    asked = query.asked()
    page = lists.parts(asked, kind, limit=query.size, cursor=query.cursor)
    return list_body(asked, query.size, page) | {"items": [row_body(row) for row in page.rows]}
