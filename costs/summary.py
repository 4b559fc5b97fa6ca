"""The weekly summary by e-mail: what last week cost, on whom, and how that compares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.template.loader import render_to_string

from costs.days import cost_zone
from costs.models import CostBreakdownDaily, CostDay, CostGlobalDaily, CostUserDaily
from costs.ranges import ONE_DAY
from healthpilot.web import numbers
from systemstatus.models import Notification
from systemstatus.notify import channels, outbox, words

DAYS: Final = 7
LISTED: Final = 5
DUE_AT: Final = time(8)
# After so long without a closed week it is sent with what there is, and says so.
LATEST: Final = timedelta(hours=12)
ZERO: Final = Decimal(0)
KINDS: Final = (("tier", "Tiers"), ("domain", "Domains"), ("model", "Models"))


@dataclass(frozen=True)
class Line:
    """One name with its cost in USD over the week, and its share of all."""

    name: str
    cost: str
    share: str


@dataclass(frozen=True)
class Week:
    """What a week cost, as it is read; is_whole: every day of it is closed."""

    first_on: date
    last_on: date
    total: str
    change: str
    jobs: str
    calls: str
    parts: Sequence[tuple[str, Sequence[Line]]]
    is_whole: bool
    url: str


def queue_due(now: datetime) -> bool:
    """Write last week's summary to the outbox once it is due, Monday at 8 in COST_TIMEZONE; once a week.

    Returns whether it was written: not without e-mail, before it is due, twice, or for a week without costs.
    """
    local = now.astimezone(cost_zone())
    monday = local.date() - local.weekday() * ONE_DAY
    due = datetime.combine(monday, DUE_AT, cost_zone())
    stem = f"summary_{monday:%Y%m%d}"
    if not settings.COST_SUMMARY or "email" not in channels.configured() or now < due:
        return False
    if now - due > timedelta(days=2) or Notification.objects.filter(message_id=f"msg_{stem}_email").exists():
        return False
    found = week(monday - DAYS * ONE_DAY)
    if found is None or (not found.is_whole and now - due < LATEST):
        return False
    outbox.queue(Notification.Kind.SUMMARY, ["email"], due=now, now=now, body=content(found, now), stem=stem)
    return True


def content(found: Week, now: datetime) -> dict[str, Any]:
    """Return the message: a title, a plain text and HTML that say the same."""
    title = f"Costs {found.first_on:%d %b} to {found.last_on:%d %b %Y}: {found.total}"
    return {
        "type": "cost.summary",
        "timestamp": words.iso(now),
        "data": {"title": title, "text": render_to_string("costs/summary.txt", {"week": found})},
        "html": render_to_string("costs/summary.html", {"week": found, "title": title}),
    }


def week(first_on: date) -> Week | None:
    """Return what the seven days from one on cost; None where nothing happened in them."""
    last_on = first_on + (DAYS - 1) * ONE_DAY
    now, before = sums(first_on, last_on), sums(first_on - DAYS * ONE_DAY, first_on - ONE_DAY)
    if not (now["jobs"] or now["ai_calls"]):
        return None
    closed = CostDay.objects.filter(date__range=(first_on, last_on)).exclude(closed_at=None).count()
    return Week(
        first_on,
        last_on,
        numbers.money(now["cost"]),
        change(now["cost"], before["cost"]),
        numbers.count(now["jobs"]),
        numbers.count(now["ai_calls"]),
        [*breakdowns(first_on, last_on, now["cost"]), ("Users", users(first_on, last_on, now["cost"]))],
        closed == DAYS,
        f"{settings.HEALTHPILOT_URL}/admin/cost" if settings.HEALTHPILOT_URL else "",
    )


def sums(first_on: date, last_on: date) -> dict[str, Any]:
    """Return cost, jobs and calls of a span."""
    rows = CostGlobalDaily.objects.filter(date__range=(first_on, last_on))
    found = rows.aggregate(cost=Sum("cost_exact"), jobs=Sum("jobs"), ai_calls=Sum("ai_calls"))
    return {name: value or ZERO if name == "cost" else int(value or 0) for name, value in found.items()}


def change(cost: Decimal, before: Decimal) -> str:
    """Return how a week compares with the one before, in words."""
    if not before:
        return "the week before cost nothing"
    percent = numbers.percent(numbers.share(abs(cost - before), before))
    if cost == before:
        return "as much as the week before"
    return f"{percent} {'more' if cost > before else 'less'} than the week before"


def breakdowns(first_on: date, last_on: date, total: Decimal) -> list[tuple[str, list[Line]]]:
    """Return the dearest of each kind that has any."""
    found = []
    for kind, title in KINDS:
        rows = CostBreakdownDaily.objects.filter(kind=kind, date__range=(first_on, last_on))
        lines = dearest(rows, "key", total)
        found += [(title, lines)] if lines else []
    return found


def users(first_on: date, last_on: date, total: Decimal) -> list[Line]:
    """Return the dearest users."""
    rows = CostUserDaily.objects.filter(date__range=(first_on, last_on))
    return dearest(rows, "user_id", total)


def dearest(rows: "QuerySet[Any]", name_field: str, total: Decimal) -> list[Line]:
    """Return the lines of the names with the highest costs."""
    summed = rows.values_list(name_field).annotate(cost=Sum("cost_exact")).filter(cost__gt=0)
    top = summed.order_by("-cost", name_field)[:LISTED]
    return [
        Line(name or "(none)", numbers.money(cost), numbers.percent(numbers.share(cost, total)))
        for name, cost in top
    ]
