"""Every page in every state that `./run a11y` and the tests look at: a new page is one line."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from random import Random
from unittest import mock

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone
from playwright.sync_api import Page, expect

from costs import insight, queries
from costs.budgets import save_budget
from costs.models import CostDay
from costs.throttle.scopes import Scope
from costs.usage import fold_pending
from healthpilot.cache import ForgivingRedisCache
from healthpilot.dataqueue.entries import note
from healthpilot.dataqueue.models import Job, QueueClass, State
from healthpilot.dataqueue.work import folder_of
from systemstatus import runs, sessions
from tests.costs import recorded
from tests.costs.events import job, store
from tests.costs.factories import days_ago, make_admin, make_global_day, make_month
from tests.e2e.conftest import drawn
from tests.systemstatus import factories as status
from tests.systemstatus import scenes

MODEL = "gpt-4o"
OWN_TABS = ("overview", "budgets", "health", "database", "storage", "integrations")
SIMULATION = "/admin/cost/budget/simulation?scope=global&key=&days=7"
HELD = "/admin/status/database/sessions/48213"
FIRST_USER = f"usr_{Random(1).randrange(36**6):06x}"  # as make_month names its first


def nothing() -> None:
    """Prepare nothing: the database is empty but for the person who looks."""


def administrator() -> None:
    make_admin()


def month() -> None:
    make_month(days=65, users=24)


def events() -> None:
    recorded.make_events(days=20)


def priced() -> None:
    make_month(days=8, users=4)
    call_command("update_prices", "--from", "2026-01-01", "--all", "--yes", stdout=StringIO())


def job_with_file(ended_days_ago: int = 1) -> None:
    """A job of a number that pages can be asked for, with the file it left."""
    ended = timezone.now() - timedelta(days=ended_days_ago)
    told = [{"name": "refused-rows.csv", "about": "each refused row with line, column and reason"}]
    row = Job.objects.create(
        id=41,
        kind="telemetry.import",
        tier="pro",
        user_id="ada",
        domain="imports",
        queue_class="heavy",
        state=State.SUCCEEDED,
        started_at=ended - timedelta(minutes=2),
        finished_at=ended,
        done=20_000,
        total=20_000,
        unit="rows",
        attempt=1,
        result={"rows stored": "19,988", "rows refused": "12", "files": told},
    )
    note(row.pk, "queued", actor="ada")
    note(row.pk, "succeeded", actor="worker-1")
    folder_of(row.pk).mkdir(parents=True, exist_ok=True)
    (folder_of(row.pk) / "refused-rows.csv").write_text("line,column,reason\n")


def job_with_old_file() -> None:
    job_with_file(ended_days_ago=settings.DATAQUEUE_RETENTION_DAYS + 1)


def capped() -> None:
    make_month(days=2, users=4)
    for kind, key in (("global", ""), ("tier", "free"), ("user", FIRST_USER)):
        limits = {"daily_jobs_cap": 500, "daily_cost_usd_cap": Decimal(20)}
        save_budget(Scope(kind, key), limits, actor="ada", reason="a quiet month")


def used() -> None:
    """Eight days of raw events by which budgets can be replayed."""
    chance, tiers = Random(4), ("free", "pro", "enterprise", "trial")
    store(
        *(
            job(
                timezone.now() - timedelta(minutes=chance.randrange(8 * 1440)),
                user_id=f"usr_{chance.randrange(30):03}",
                tier=chance.choice(tiers),
                cpu_ms=chance.randrange(4_000_000),
            )
            for _ in range(900)
        )
    )
    fold_pending()


def explained() -> None:
    """A month, and what a model wrote of its yesterday, hostile as a model can be."""
    month()
    text = "Enterprise asked more of ai, 12 % more than the day before. <script>alert(1)</script>"
    Job.objects.create(
        kind=insight.KIND,
        tier="enterprise",
        user_id=insight.WHO,
        domain="reports",
        queue_class=QueueClass.SYSTEM,
        state=State.SUCCEEDED,
        finished_at=timezone.now(),
        result={"day": f"{days_ago(1)}", "text": text, "model": "gpt-4o-mini"},
    )


def unexplained() -> None:
    """A month, an older day in words, and yesterday's that failed for good."""
    explained()
    Job.objects.create(
        kind=insight.KIND,
        payload={"day": f"{days_ago(1)}"},
        tier="enterprise",
        user_id=insight.WHO,
        domain="reports",
        queue_class=QueueClass.SYSTEM,
        state=State.DEAD,
        error_code="RateLimitError",
        error_message="Error code: 429 - the quota of this key is used up",
    )


def long_ago() -> None:
    make_global_day(days_ago(200), "5", ai_calls=3)


def old_rollup() -> None:
    month()
    CostDay.objects.update(rolled_up_at=timezone.now() - timedelta(hours=40))


def bad_night() -> None:
    status.make_bad_night(hours=24)


def quiet_hour() -> None:
    status.make_day(hours=1)


def late() -> None:
    status.make_day(hours=1, until=status.this_minute() - timedelta(minutes=3))


def too_late() -> None:
    status.make_day(hours=1, until=status.this_minute() - timedelta(minutes=7))


def checked_now() -> None:
    """A bad night in which somebody had PostgreSQL checked and waits for Redis."""
    bad_night()
    told = {"actor": "ada", "at": timezone.now().isoformat(), "job": 41}
    hung = {"name": "activity", "state": "crashed", "ms": 5000.1, "said": "gave no answer within 5 s"}
    checks = [{"name": "locks", "state": "ok", "ms": 12.4, "said": ""}, hung]
    runs.note("postgres", {**told, "checks": checks})
    runs.note("redis", told)


@contextmanager
def failing_database() -> Iterator[None]:
    with mock.patch.object(queries, "extent", side_effect=OperationalError("the server is gone")):
        yield


@contextmanager
def redis_away() -> Iterator[None]:
    """Every page is made as after a failure of Redis a moment ago."""
    with mock.patch.dict(ForgivingRedisCache._retry_at, {settings.REDIS_ADDRESS: math.inf}):
        yield


@contextmanager
def held_session() -> Iterator[None]:
    """A session of a reporting program holds what others wait for."""
    with mock.patch.object(sessions, "session_of", return_value=status.held_session()):
        yield


@dataclass(frozen=True)
class Visit:
    """One page in one state.

    Attributes:
        prepare: fills the database before the page is opened.
        ready: waits until the page shows what it is about; by default until it has loaded.
        during: what is broken while the page is looked at.
    """

    name: str
    path: str
    prepare: Callable[[], None] = nothing
    ready: Callable[[Page], None] | None = None
    signed_in: bool = True
    as_admin: bool = False
    during: Callable[[], AbstractContextManager[None]] = nullcontext


def all_drawn(page: Page) -> None:
    """Wait until every figure that can be seen is drawn."""
    count = page.locator(".plot:visible").count()
    expect(page.locator(".plot.js-plotly-plot")).to_have_count(count)


def replayed(page: Page) -> None:
    """Type a cap and replay the last days against it, with the focus left where a page begins."""
    page.get_by_label("Jobs a day").evaluate("(input) => { input.value = 60; }")
    page.get_by_role("button", name="Replay 7 days").evaluate("(button) => button.click()")
    expect(page.locator("#simulated .facts")).to_be_visible()


def controls_shown(page: Page) -> None:
    drawn(page)
    expect(page.locator("#controls .cap").first).to_be_visible()


def editor_open(page: Page) -> None:
    """Open the first budget's editor, with the focus left where a page begins."""
    controls_shown(page)
    page.locator("#controls a", has_text="Change").first.evaluate("(link) => link.click()")
    expect(page.locator("#controls [data-editor]")).to_be_visible()


PAGES = [
    Visit("cost: ready", "/admin/cost", month, drawn),
    Visit("cost: as a table", "/admin/cost?view=table", month, all_drawn),
    Visit("cost: first visit", "/admin/cost"),
    Visit("cost: nothing in these days", "/admin/cost?days=abc", long_ago),
    Visit("cost: no user matches", "/admin/cost?q=nobody", month, drawn),
    Visit("cost: stale", "/admin/cost", old_rollup, drawn),
    Visit("cost: no answer from the database", "/admin/cost", during=failing_database),
    Visit("cost: Redis does not answer", "/admin/cost", month, drawn, during=redis_away),
    Visit("cost: a user", f"/admin/cost/users/{FIRST_USER}", month, all_drawn),
    Visit("cost: a domain", "/admin/cost/domains/ai", month, all_drawn),
    Visit("cost: a model and its prices", "/admin/cost/models/m-priced?days=30", events, all_drawn),
    Visit("cost: a type of job", "/admin/cost/job-types/sync_cdrs?days=30", events, all_drawn),
    Visit("prices", "/admin/cost/prices", priced, as_admin=True),
    Visit("prices: none yet", "/admin/cost/prices"),
    Visit("prices: one model's history", f"/admin/cost/prices/history?model={MODEL}", priced, as_admin=True),
    Visit("prices: a new one", f"/admin/cost/prices/set?model={MODEL}", priced, as_admin=True),
    Visit("prices: what a reprice changes", "/admin/cost/prices/reprice", priced, as_admin=True),
    Visit("cost: with budgets beside it", "/admin/cost", capped, controls_shown),
    Visit("cost: a budget being changed beside it", "/admin/cost", capped, editor_open, as_admin=True),
    Visit("budgets", "/admin/cost/budgets", capped, as_admin=True),
    Visit("budgets: none yet", "/admin/cost/budgets"),
    Visit("budgets: change one", "/admin/cost/budget?scope=tier&key=free", capped, as_admin=True),
    Visit("budgets: a simulation", SIMULATION + "&daily_jobs_cap=60&monthly_cost_usd_cap=0.4", used),
    Visit("budgets: a simulation in which nothing waits", SIMULATION + "&daily_jobs_cap=6000", used),
    Visit("budgets: a simulation without usage", SIMULATION),
    Visit("budgets: a simulation of no cap", SIMULATION + "&daily_jobs_cap=lots", as_admin=True),
    Visit(
        "budgets: replayed before it is saved",
        "/admin/cost/budget?scope=global",
        used,
        replayed,
        as_admin=True,
    ),
    Visit("cost: an export to ask for", "/admin/cost/export", as_admin=True),
    Visit("cost: yesterday in words", "/admin/cost/insight", explained, as_admin=True),
    Visit("cost: yesterday in words, not written", "/admin/cost/insight", unexplained, as_admin=True),
    Visit("cost: yesterday in words, off", "/admin/cost/insight", month),
    Visit("API tokens", "/admin/tokens", administrator, as_admin=True),
    Visit("API", "/admin/api"),
    Visit("instrument", "/admin/instrument"),
    Visit("import a file", "/admin/import", as_admin=True),
    Visit("jobs: none yet", "/admin/jobs"),
    Visit("jobs: one with its file", "/admin/jobs/41", job_with_file, as_admin=True),
    Visit("jobs: one whose file is not kept any more", "/admin/jobs/41", job_with_old_file),
    *[Visit(f"status, {slug}: a quiet day", f"/admin/status/{slug}", status.make_day) for slug in OWN_TABS],
    *[Visit(f"status, {slug}: a bad night", f"/admin/status/{slug}", bad_night) for slug in OWN_TABS],
    Visit("status, overview: nothing collected", "/admin/status"),
    Visit("status, health: nothing collected", "/admin/status/health"),
    Visit("status, database: nothing collected", "/admin/status/database"),
    Visit("status, storage: late snapshots", "/admin/status/storage", late),
    Visit("status, overview: too late", "/admin/status", too_late),
    Visit("status, overview: a minute that is none", "/admin/status?at=yesterday", status.make_day),
    Visit(
        "status, budgets: a rehearsal", "/admin/status/budgets?rehearse=db.connections&warning=5", bad_night
    ),
    Visit("status, budgets: an empty group", "/admin/status/budgets?show=over", quiet_hour),
    Visit("status, database: a session that is gone", "/admin/status/database/sessions/7", as_admin=True),
    Visit("status, database: a session", HELD, as_admin=True, during=held_session),
    Visit("status, health: checked in between", "/admin/status/health", checked_now, as_admin=True),
    Visit("status: no such tab", "/admin/status/nowhere"),
    Visit("alerts: a bad night", "/admin/status/alerts", scenes.make_night, as_admin=True),
    Visit("alerts: timeline", "/admin/status/alerts?view=timeline", scenes.make_night),
    Visit("alerts: messages", "/admin/status/alerts?view=messages", scenes.make_night),
    Visit("alerts: ended", "/admin/status/alerts?view=ended", scenes.make_night),
    Visit("alerts: none, nothing collected", "/admin/status/alerts", as_admin=True),
    Visit("alerts: a silence", "/admin/status/alerts/silence", as_admin=True),
    Visit("alerts: a maintenance window", "/admin/status/alerts/maintenance", as_admin=True),
    Visit("status jobs: busy", "/admin/status/jobs", scenes.make_jobs, as_admin=True),
    Visit("status jobs: nothing collected", "/admin/status/jobs", as_admin=True),
    Visit("status jobs: all of them", "/admin/status/jobs?view=all", scenes.make_jobs, as_admin=True),
    Visit("status api: routes", "/admin/status/api", scenes.make_requests),
    Visit("status api: nothing counted", "/admin/status/api"),
    Visit("status api: errors", "/admin/status/api?view=errors", scenes.make_requests, as_admin=True),
    Visit("status portals: checks", "/admin/status/portals", scenes.make_portals),
    Visit("status portals: nothing checked", "/admin/status/portals"),
    Visit("audit: a bad night", "/admin/status/audit", scenes.make_night, as_admin=True),
    Visit("audit: nothing yet", "/admin/status/audit"),
    Visit("audit: the chain checked", "/admin/status/audit?view=chain", scenes.make_checks, as_admin=True),
    Visit("design: every state of every component", "/admin/design", ready=all_drawn),
    Visit("front page", "/", signed_in=False),
    Visit("sign in", "/accounts/login/", signed_in=False),
    Visit("no such page", "/nowhere", signed_in=False),
    Visit("password", "/accounts/password/"),
    Visit("two-factor sign-in", "/accounts/2fa/"),
    Visit("sign out", "/accounts/logout/"),
]
