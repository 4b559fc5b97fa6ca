"""The tab Jobs: queues, workers, what runs and what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from celery import current_app
from django.http import QueryDict

from healthpilot.dataqueue import queries as dataqueue
from healthpilot.dataqueue.actions import allowed
from healthpilot.dataqueue.forms import JobsForm
from healthpilot.dataqueue.kinds import registered
from healthpilot.dataqueue.models import Job, QueueClass, State
from healthpilot.web.pages import DEFAULT_LIMIT, CursorError
from systemstatus import queries
from systemstatus.findings import Level
from systemstatus.judging import level_of
from systemstatus.moment import Moment
from systemstatus.registry import Layer
from systemstatus.standing import of_layers, standings
from systemstatus.tabs import generic
from systemstatus.thresholds import BY_ID
from systemstatus.wording import figure_text

MODULES: Final = ("dataqueue", "workers", "beat")
VIEWS: Final = (("now", "Now"), ("all", "All jobs"))
LISTED: Final = 20
STATUSES: Final = {Level.OK: "ok", Level.WARNING: "warn", Level.CRITICAL: "error"}
Detail = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure as a text with the status that its budget gives it; no status where nothing is known."""

    text: str
    status: str = ""
    budget: str = ""


UNKNOWN: Final = Figure("unknown", "unknown")


def judged(budget: str, value: float | None, unit: str, target: str = "") -> Figure:
    """Return a figure as its budget judges this one minute of it; unknown without a value."""
    if value is None:
        return UNKNOWN
    status = STATUSES[level_of(BY_ID[budget], target, value, "")]
    return Figure(figure_text(value, unit), status, budget)


@dataclass(frozen=True)
class Queue:
    """One class of jobs: how many are in each state, since when one waits, its canary, who serves it."""

    name: str
    label: str
    counts: Detail
    depth: Figure
    oldest: Figure
    canary: Figure
    is_paused: bool
    is_served: bool | None


@dataclass(frozen=True)
class Line:
    """One job with what may be done to it, and its last sign of life while it runs."""

    job: Job
    label: str
    actions: Sequence[str]
    alive: Detail | None
    seen_at: datetime | None


def read(moment: Moment, params: QueryDict) -> dict[str, object]:
    """Return how queues, workers and the schedule stand, or the list of all jobs."""
    view = "all" if params.get("view") == "all" else "now"
    context: dict[str, object] = {"view": view, "views": VIEWS, "problems": []}
    if view == "all":
        return context | listed(params)
    found = queries.details(MODULES, moment.newest, moment.grain) if moment.newest else {}
    detail: dict[str, Any] = {name: value for part in found.values() for name, value in part.items()}
    return context | {
        "watched": [(one, generic.checks(one, moment)) for one in watched(moment)],
        "queues": queues_of(moment, detail),
        "workers": [worker(one) for one in detail["workers"]] if "workers" in detail else None,
        "schedule": schedule_of(detail),
        "types": types_of(detail),
        "types_minutes": detail.get("types_minutes"),
        "standing_still": detail.get("running", []),
        **({} if moment.is_past else {"live": live(moment)}),
    }


def watched(moment: Moment) -> list[Any]:
    return of_layers(standings(moment), (Layer.QUEUE,))


def queues_of(moment: Moment, detail: Detail) -> list[Queue] | None:
    """Return the classes of jobs, None where their depth was not collected."""
    if "queues" not in detail:
        return None
    values = moment.rows["dataqueue"].values if "dataqueue" in moment.rows else {}
    canaries = {one["queue"]: one for one in detail.get("canaries", [])}
    alone = detail.get("queues_without_worker")
    return [queue(one, values, canaries.get(one["name"]), alone) for one in detail["queues"]]


def queue(one: Detail, values: Detail, canary: Detail | None, alone: Sequence[str] | None) -> Queue:
    name = str(one["name"])
    ages = values.get("queue.oldest", {})
    oldest = ages.get(name) if isinstance(ages, Mapping) else ages
    return Queue(
        name=name,
        label=str(QueueClass(name).label) if name in QueueClass.values else name,
        counts=one,
        depth=judged("queue.depth", one["waiting"], "", name),
        oldest=judged("queue.oldest", oldest, "s", name),
        canary=judged("queue.canary", canary["seconds"] if canary else None, "s", name),
        is_paused=bool(one["paused"]),
        is_served=None if alone is None else name not in alone,
    )


def worker(one: Detail) -> dict[str, Any]:
    """Return a worker with its heartbeat judged and what it works on in words."""
    tasks = [f"{task['task']}, {figure_text(task['for_s'], 's')}" for task in one.get("running", [])]
    return {
        **one,
        "heartbeat": judged("queue.worker_heartbeat", one["age_s"], "s"),
        "tasks": tasks,
        "started_at": moment_in(one.get("started_at")),
    }


def schedule_of(detail: Detail) -> list[dict[str, Any]] | None:
    """Return the entries of the schedule, the latest first; None where the schedule was not seen."""
    if "schedule" not in detail:
        return None
    entries = [
        {
            **one,
            "every": figure_text(one["every_s"], "s") if one["every_s"] else "by the clock",
            "can_run": one["name"] in current_app.conf.beat_schedule,
            "lateness": judged("queue.beat_lateness", one["late_s"], "s"),
            "last_at": moment_in(one["last_run_at"]) if one.get("runs", 1) else None,
            "next_at": moment_in(one["next_run_at"]),
        }
        for one in detail["schedule"]
    ]
    return sorted(entries, key=lambda one: (-one["late_s"], one["name"]))


def types_of(detail: Detail) -> list[dict[str, Any]] | None:
    """Return how job types went; None where that was not collected."""
    if "types" not in detail:
        return None
    return [job_type(one, detail["types_minutes"]) for one in detail["types"]]


def job_type(one: Detail, minutes: int) -> dict[str, Any]:
    """Return how one job type went, as texts."""
    spans = {
        name: "–" if one[f"{name}_ms"] is None else figure_text(one[f"{name}_ms"], "ms")
        for name in ("mean", "mean_wait", "longest_wait")
    }
    share = 100 * one["failed"] / one["runs"] if one["runs"] else 0.0
    enough = one["runs"] >= BY_ID["queue.failures"].at_least
    failures = judged("queue.failures", share, "%") if enough else Figure(figure_text(share, "%"))
    return {**one, **spans, "a_minute": figure_text(one["runs"] / minutes, ""), "failures": failures}


def moment_in(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


GROUPS: Final = {
    "running": (State.RUNNING,),
    "deferred": (State.DEFERRED,),
    "failing": (State.FAILED, State.DEAD, State.PARKED),
}
FIELDS: Final = (*dataqueue.LIST_FIELDS, "cancel_by", "error_message", "message")


def live(moment: Moment) -> dict[str, list[Line]]:
    """Return what runs, what is deferred and what failed now, twenty of each; one query."""
    parts = [
        Job.objects.filter(state__in=states).only(*FIELDS).order_by("-id")[:LISTED]
        for states in GROUPS.values()
    ]
    rows = list(parts[0].union(*parts[1:], all=True))
    signs = dataqueue.alive(rows)
    return {
        name: sorted(
            (line(job, signs.get(job.pk)) for job in rows if job.state in states), key=lambda one: -one.job.pk
        )
        for name, states in GROUPS.items()
    }


def line(job: Job, alive: Detail | None) -> Line:
    kind = registered.get(job.kind)
    seen_at = max(job.updated_at, alive["at"]) if alive else job.updated_at
    return Line(job, kind.label if kind else job.kind, allowed(job), alive, seen_at)


def listed(params: QueryDict) -> dict[str, object]:
    """Return a page of all jobs, filtered; two queries at most."""
    form = JobsForm(params)
    filters, problems = form.asked()
    try:
        page = dataqueue.jobs(filters, limit=DEFAULT_LIMIT, cursor=params.get("cursor"), fields=FIELDS)
    except CursorError as error:
        problems.append(f"{error}".capitalize())
        page = dataqueue.jobs(filters, limit=DEFAULT_LIMIT, cursor=None, fields=FIELDS)
    signs = dataqueue.alive(page.rows)
    rows = [line(job, signs.get(job.pk)) for job in page.rows]
    return {"form": form, "problems": problems, "is_filtered": bool(filters), "page": page, "rows": rows}
