"""A job's state, progress and times in templates."""

import json
from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from healthpilot.dataqueue.models import QueueClass, State
from healthpilot.web import numbers

register = template.Library()

# By state: its symbol, its colour, and its word.
MARKS = {
    State.WAITING: ("i-clock", "muted"),
    State.DEFERRED: ("s-stale", "stale"),
    State.RUNNING: ("i-refresh", "run"),
    State.FAILED: ("s-warn", "warn"),
    State.SUCCEEDED: ("s-ok", "ok"),
    State.CANCELLED: ("i-x", "muted"),
    State.DEAD: ("s-error", "error"),
    State.PARKED: ("s-error", "error"),
}


@register.inclusion_tag("dataqueue/_state.html")
def job_state(state: str) -> dict[str, Any]:
    """Show a state by shape, colour and word."""
    icon, tone = MARKS[State(state)]
    is_line = icon.startswith("i-")
    return {
        "icon": icon,
        "tone": tone,
        "css_class": f"i {tone}" if is_line else f"s {tone}",
        "word": State(state).label,
    }


@register.filter
def queue_label(queue_class: str) -> str:
    return str(QueueClass(queue_class).label)


@register.inclusion_tag("dataqueue/_progress.html")
def progress(job: Any, alive: dict[str, Any] | None = None) -> dict[str, Any]:
    """Show how far a job is: what is committed, or what its worker said last where that is more."""
    done, total, unit = job.done, job.total, job.unit
    if alive and (alive.get("done") or 0) > done:
        done, total, unit = alive["done"], alive.get("total") or total, alive.get("unit") or unit
    percent = 100 if job.state == State.SUCCEEDED else (min(100, done * 100 // total) if total else None)
    return {"job": job, "done": done, "total": total, "unit": unit, "percent": percent}


@register.simple_tag
def until(moment: datetime | None, now: datetime | None = None) -> SafeString:
    """Return a time element that reads 'in 5 min' and tells the exact UTC time on hover."""
    if moment is None:
        return SafeString(numbers.NO_FIGURE)
    exact = moment.astimezone(UTC)
    left_s = int((moment - (now or timezone.now())).total_seconds())
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        exact.isoformat(timespec="seconds").replace("+00:00", "Z"),
        f"{exact:%Y-%m-%d %H:%M:%S}",
        f"in {numbers.duration(left_s * 1000)}" if left_s > 0 else "any moment",
    )


@register.filter
def pretty(value: Any) -> str:
    """Return JSON as a person reads it."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


@register.filter
def took(job: Any) -> str:
    """Return how long a job has run from its first start, or ran."""
    if not job.started_at:
        return numbers.NO_FIGURE
    end = job.finished_at or timezone.now()
    return numbers.duration(max(0, int((end - job.started_at).total_seconds() * 1000)))


@register.simple_tag
def progress_of(job: Any, alive: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return how far a job is, for a bar of one's own: percent (None where it is not known) and text."""
    found = progress(job, alive)
    done, total, percent = numbers.count(found["done"]), found["total"], found["percent"]
    if not total and not found["done"]:
        return {"percent": None, "text": "nothing committed yet"}
    text = f"{done} of {numbers.count(total)}" if total else done
    share = f", {percent}{numbers.NARROW_SPACE}%" if total and percent is not None else ""
    return {"percent": percent, "text": f"{text} {found['unit']}".strip() + share}
