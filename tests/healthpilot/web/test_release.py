"""The release that runs has a name, whatever there is to tell it by."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healthpilot.web import VERSION
from healthpilot.web.release import release


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    release.cache_clear()
    yield
    release.cache_clear()


def test_a_name_that_was_given_is_taken_in_one_line_and_short(settings: Any) -> None:
    settings.HEALTHPILOT_RELEASE = "2026.11\x00-rc" + "x" * 80
    assert release() == ("2026.11-rc" + "x" * 80)[:60]


def test_else_the_version_comes_with_the_revision_that_is_checked_out(settings: Any, tmp_path: Path) -> None:
    settings.HEALTHPILOT_RELEASE, settings.BASE_DIR = "", tmp_path
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert release() == f"{VERSION}+{head[:12]}"


def test_without_a_repository_it_is_the_version_alone(settings: Any, tmp_path: Path) -> None:
    settings.HEALTHPILOT_RELEASE, settings.BASE_DIR = "", tmp_path / "nowhere"
    assert release() == VERSION
