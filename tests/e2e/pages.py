"""Every page in every state that `./run a11y` and the tests look at: a new page is one line."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from unittest import mock

from django.db import OperationalError
from django.utils import timezone
from playwright.sync_api import Page, expect

from costs import queries
from costs.models import CostDay
from tests.costs.factories import days_ago, make_admin, make_global_day, make_month
from tests.e2e.conftest import drawn

FIRST_USER = f"usr_{Random(1).randrange(36**6):06x}"  # as make_month names its first


def nothing() -> None:
    """Prepare nothing: the database is empty but for the person who looks."""


def administrator() -> None:
    make_admin()


def month() -> None:
    make_month(days=65, users=24)


def long_ago() -> None:
    make_global_day(days_ago(200), "5", ai_calls=3)


def old_rollup() -> None:
    month()
    CostDay.objects.update(rolled_up_at=timezone.now() - timedelta(hours=40))


@contextmanager
def failing_database() -> Iterator[None]:
    with mock.patch.object(queries, "extent", side_effect=OperationalError("the server is gone")):
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
    during: Callable[[], AbstractContextManager[None]] = nullcontext


def all_drawn(page: Page) -> None:
    """Wait until every figure that can be seen is drawn."""
    count = page.locator(".plot:visible").count()
    expect(page.locator(".plot.js-plotly-plot")).to_have_count(count)


PAGES = [
    Visit("cost: ready", "/admin/cost", month, drawn),
    Visit("cost: as a table", "/admin/cost?view=table", month, all_drawn),
    Visit("cost: first visit", "/admin/cost"),
    Visit("cost: nothing in these days", "/admin/cost?days=abc", long_ago),
    Visit("cost: no user matches", "/admin/cost?q=nobody", month, drawn),
    Visit("cost: stale", "/admin/cost", old_rollup, drawn),
    Visit("cost: no answer from the database", "/admin/cost", during=failing_database),
    Visit("cost: a user", f"/admin/cost/users/{FIRST_USER}", month, all_drawn),
    Visit("cost: a domain", "/admin/cost/domains/ai", month, all_drawn),
    Visit("API tokens", "/admin/tokens", administrator),
    Visit("jobs: none yet", "/admin/jobs"),
    Visit("design: every state of every component", "/admin/design", ready=all_drawn),
    Visit("front page", "/", signed_in=False),
    Visit("sign in", "/accounts/login/", signed_in=False),
    Visit("no such page", "/nowhere", signed_in=False),
    Visit("password", "/accounts/password/"),
    Visit("two-factor sign-in", "/accounts/2fa/"),
    Visit("sign out", "/accounts/logout/"),
]
