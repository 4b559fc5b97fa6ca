"""A browser against a live server, signed in by its cookie, that notes everything that goes wrong."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.costs.factories import make_admin, make_month, make_staff

# Playwright's loop runs in the thread of the test, so Django would refuse the ORM there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE, TABLET, DESKTOP = (390, 844), (820, 1180), (1440, 900)
ANSWERED_WITH_AN_ERROR = "the server responded with a status of"
# Asks for nothing more; an empty page would be of another site, for which the browser starts a process.
STILL = "/static/css/tokens.css"
NOTE_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""

# A busy machine takes longer than the five seconds that Playwright allows; what comes soon costs no more.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

Open = Callable[..., Page]


class Window:
    """A page of a browser and all that went wrong in it since it was told to listen anew."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.notes: list[str] = []
        self.page = context.new_page()
        self.page.add_init_script(NOTE_VIOLATIONS)
        self.page.on("console", lambda message: self.note(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.notes.append(str(error)))

    def note(self, text: str) -> None:
        """Keep what a page wrote as an error; that an answer was one is no fault of the page."""
        if ANSWERED_WITH_AN_ERROR not in text:
            self.notes.append(text)

    def open(self, url: str, path: str, cookies: dict[str, str], notes: list[str]) -> Page:
        """Open an address with these cookies and no other; what goes wrong is added to the notes."""
        self.notes = notes
        self.context.clear_cookies()
        self.context.add_cookies(
            [{"name": name, "value": text, "url": url} for name, text in cookies.items()]
        )
        self.page.goto(f"{url}{path}")
        return self.page

    @contextmanager
    def visiting(self, url: str, path: str, cookies: dict[str, str], notes: list[str]) -> Iterator[Page]:
        """Open an address as open() does; afterwards only the browser's cache knows of it."""
        yield self.open(url, path, cookies, notes)
        self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        self.page.goto(f"{url}{STILL}")


def screen(size: tuple[int, int]) -> dict[str, Any]:
    """Return the options of a context for a screen, which is a finger's where it is narrow."""
    touch = size[0] < 1000
    return {"viewport": {"width": size[0], "height": size[1]}, "has_touch": touch, "is_mobile": touch}


def cookies_of(theme: str, *, signed_in: bool, as_admin: bool) -> dict[str, str]:
    return {"theme": theme} | (session_cookie(as_admin=as_admin) if signed_in else {})


@pytest.fixture
def open_page(live_server: LiveServer, new_context: Callable[..., BrowserContext]) -> Iterator[Open]:
    """Open addresses of the live server; the test fails when any page wrote an error or broke the policy.

    A test that gives a list as wrong gets them there instead.
    """
    noticed: list[str] = []
    forgiven: list[str] = []

    def opened(
        path: str,
        size: tuple[int, int] = DESKTOP,
        *,
        theme: str = "dark",
        signed_in: bool = True,
        as_admin: bool = False,
        expected: tuple[str, ...] = (),
        wrong: list[str] | None = None,
        **options: Any,
    ) -> Page:
        forgiven.extend(expected)
        notes = noticed if wrong is None else wrong
        cookies = cookies_of(theme, signed_in=signed_in, as_admin=as_admin)
        window = Window(new_context(**screen(size), **options))
        return window.open(live_server.url, path, cookies, notes)

    yield opened
    assert not [text for text in noticed if not any(part in text for part in forgiven)]


@pytest.fixture
def month() -> None:
    """Two months of a lively product."""
    make_month(days=65, users=24)


def drawn(page: Page) -> None:
    """Wait until every figure of the page is drawn."""
    page.wait_for_function(
        """() => {
            const plots = [...document.querySelectorAll("[data-figure]")];
            return plots.length > 0 && plots.every((plot) => plot.classList.contains("js-plotly-plot"));
        }"""
    )


def comes(page: Page, condition: Callable[[], bool], limit_s: float) -> bool:
    """Let the browser go on until a condition holds; says whether that came within the limit (s)."""
    end = time.monotonic() + limit_s
    while not (held := condition()) and time.monotonic() < end:
        page.wait_for_timeout(20)
    return held


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Let the browser go on until a condition holds; it fails where that does not come."""
    assert comes(page, condition, PATIENCE_MS / 1000), "waited in vain"


def session_cookie(*, as_admin: bool = False) -> dict[str, str]:
    client = Client()
    there = User.objects.filter(is_superuser=as_admin, is_staff=True).first()
    client.force_login(there or (make_admin() if as_admin else make_staff()))
    return {"sessionid": client.cookies["sessionid"].value}


def violations(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.2 AA, each with the elements concerned.

    Its whole result goes to the folder AXE_REPORTS, where `governance task done --axe` reads it; where nobody
    asks for that, axe describes what is wrong alone, for to describe all that is well takes as long again.
    """
    described = {} if os.environ.get("AXE_REPORTS") else {"resultTypes": ["violations"]}
    options = {"runOnly": {"type": "tag", "values": WCAG}, **described}
    result = Axe().run(page, options=options).response
    keep(result)
    found = result["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def keep(result: dict[str, Any]) -> None:
    """Write one of axe's results to AXE_REPORTS, if that names a folder."""
    folder = os.environ.get("AXE_REPORTS", "")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(prefix="axe-", suffix=".json", dir=folder)
        os.close(handle)
        Path(path).write_text(json.dumps(result), encoding="utf-8")


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the screen."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
