"""Finding a browser: the named one first, and instructions instead of a skip when there is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import browser


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let every test look anew."""
    browser.find.cache_clear()
    yield
    browser.find.cache_clear()


def test_the_named_browser_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.touch(mode=0o755)
    monkeypatch.setenv("HEALTHPILOT_CHROMIUM", str(program))
    assert browser.find() == program


def test_a_named_browser_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEALTHPILOT_CHROMIUM", str(tmp_path / "missing"))
    with pytest.raises(browser.BrowserMissingError, match="is not a program"):
        browser.find()


def test_a_browser_on_path_is_found_when_playwright_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "google-chrome").touch(mode=0o755)
    monkeypatch.delenv("HEALTHPILOT_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    assert browser.find() == tmp_path / "google-chrome"


def test_no_browser_is_an_error_with_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEALTHPILOT_CHROMIUM", raising=False)
    for way in ("playwrights_own", "on_path", "downloaded", "from_packages"):
        monkeypatch.setattr(browser, way, lambda: None)
    with pytest.raises(browser.BrowserMissingError, match="apt-get install chromium"):
        browser.find()
