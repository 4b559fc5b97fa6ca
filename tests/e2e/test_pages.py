"""Every page of the registry: axe, the policy, the console, overflow, targets, the keyboard, no scripts.

Each is opened at 390 px in the dark theme and at 1440 px in the light one; with HEALTHPILOT_A11Y=full, which
`./run a11y --full` sets, at every width and in every theme.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.test import TransactionTestCase
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from tests.e2e.conftest import DESKTOP, PHONE, TABLET, Open, Window, cookies_of, screen
from tests.e2e.inspection import Findings, looked_at, walked_through, without_scripts
from tests.e2e.pages import PAGES, Visit
from tests.emptying import empty_tables
from tests.systemstatus.factories import this_minute

pytestmark = pytest.mark.django_db(transaction=True)

Windows = Callable[..., Window]
FULL = os.environ.get("HEALTHPILOT_A11Y") == "full"
REPORT = os.environ.get("HEALTHPILOT_A11Y_REPORT", "")
NARROWEST = (320, 640)  # 1280 px at 400 % zoom, where WCAG wants no scrolling in two directions
ZOOMED = (720, 450)  # 1440 px at 200 %


@dataclass(frozen=True)
class Look:
    """One way to look at a page; the keyboard is tried where the layout differs."""

    size: tuple[int, int]
    theme: str
    by_keyboard: bool = False
    forced_colors: str = "none"
    scripts: bool = True

    @property
    def name(self) -> str:
        forced = ", forced colours" if self.forced_colors == "active" else ""
        return f"{self.size[0]} {self.theme}{forced}{'' if self.scripts else ', no scripts'}"


QUICK = [
    Look(PHONE, "dark", by_keyboard=True),
    Look(DESKTOP, "light", by_keyboard=True),
    Look(DESKTOP, "dark", scripts=False),
]
EVERY = [
    *[Look(size, "dark", by_keyboard=True) for size in (PHONE, TABLET, DESKTOP)],
    *[Look(size, theme) for theme in ("light", "contrast") for size in (PHONE, TABLET, DESKTOP)],
    *[Look(size, "dark") for size in (NARROWEST, ZOOMED)],
    Look(DESKTOP, "dark", forced_colors="active"),
    *[Look(size, "dark", scripts=False) for size in (PHONE, DESKTOP)],
]


class Stage:
    """The database as the visits find it: kept from one to the next that wants the same."""

    def __init__(self) -> None:
        self.shows: object = None

    def set(self, visit: Visit) -> None:
        """Fill the database as the visit wants; what System Status saw is of this minute."""
        wanted = (visit.prepare, this_minute() if visit.path.startswith("/admin/status") else None)
        if self.shows != wanted:
            self.shows = None
            empty_tables()
            cache.clear()
            visit.prepare()
            self.shows = wanted


@pytest.fixture(scope="module")
def stage(quickly_emptied: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """Keep the tables full after each test of this module, and empty them after the last."""
    with mock.patch.object(TransactionTestCase, "_fixture_teardown"):
        yield Stage()
    with django_db_blocker.unblock():
        empty_tables()


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Iterator[Windows]:
    """One window for each kind of screen; a new one would cost as much as a look."""
    windows: dict[str, Window] = {}

    def window(size: tuple[int, int], **options: Any) -> Window:
        key = f"{size} {options}"
        if key not in windows:
            windows[key] = Window(browser.new_context(**screen(size), **options))
        return windows[key]

    yield window
    for one in windows.values():
        one.context.close()


@pytest.mark.parametrize("visit", PAGES, ids=lambda visit: visit.name)
def test_a_page_is_for_everybody(
    visit: Visit, stage: Stage, windows: Windows, live_server: LiveServer
) -> None:
    wrong = []
    for look in EVERY if FULL else QUICK:
        stage.set(visit)
        window = windows(look.size, forced_colors=look.forced_colors, java_script_enabled=look.scripts)
        with visit.during():
            found = findings(visit, look, window, live_server.url)
        noted(visit, look, found)
        wrong += [f"{look.name}, {kind}: {one}" for kind, ones in found.items() for one in ones]
    assert wrong == []


def findings(visit: Visit, look: Look, window: Window, url: str) -> Findings:
    """Open the page in one way and return all that is wrong with it."""
    said: list[str] = []
    cookies = cookies_of(look.theme, signed_in=visit.signed_in, as_admin=visit.as_admin)
    with window.visiting(url, visit.path, cookies, said) as page:
        if not look.scripts:
            return {"no script": without_scripts(page)}
        if visit.ready:
            visit.ready(page)
        found = looked_at(page)
        if look.forced_colors == "active":
            # Shown are the system's colours; axe reads -webkit-text-fill-color, which stays the page's.
            found["axe"] = [one for one in found["axe"] if not one.startswith("color-contrast")]
        found["keyboard"] = walked_through(page) if look.by_keyboard else []
        found["policy"] = [text for text in said if text.startswith("CSP")]
        found["console"] = [text for text in said if not text.startswith("CSP")]
    return found


def noted(visit: Visit, look: Look, found: Findings) -> None:
    """Append what was found to the report that was asked for."""
    if REPORT:
        with Path(REPORT).open("a") as report:
            report.write(json.dumps({"page": visit.name, "look": look.name, "found": found}) + "\n")


@pytest.fixture
def broken(stage: Stage, open_page: Open) -> Page:
    """A page with one fault of each kind, so that no check is one that cannot fail."""
    page = open_page("/admin/cost", PHONE, wrong=[])
    page.evaluate(
        """() => {
          const add = (tag, text, fields) => document.querySelector("main").append(
            Object.assign(document.createElement(tag), { textContent: text }, fields));
          add("button", "last first", { tabIndex: 3 });
          add("button", "", { id: "nameless" });
          add("pre", "w".repeat(300), {});
          const sheet = new CSSStyleSheet();
          sheet.replaceSync("#nameless { width: 9px; height: 9px; padding: 0; outline: none !important }");
          document.adoptedStyleSheets.push(sheet);
        }"""
    )
    return page


def test_every_check_can_fail(broken: Page) -> None:
    found = looked_at(broken)
    assert any(one.startswith("button-name") for one in found["axe"])
    assert any("nameless" in one for one in found["targets"])
    assert found["overflow"]
    walked = walked_through(broken)
    assert any(one.startswith("out of order") for one in walked)
    assert any(one.startswith("no focus ring") for one in walked)
