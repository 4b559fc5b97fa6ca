"""Fixtures of the telemetry tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from telemetry import spool
from telemetry.drops import drops


@pytest.fixture
def spool_folder(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A spool of the test's own, which nothing holds open afterwards."""
    spool.close(5)
    settings.HEALTHPILOT_VAR = tmp_path
    drops.reset()
    yield tmp_path / "spool"
    spool.close(5)
    drops.reset()


@pytest.fixture
def recording(transactional_db: None, request: pytest.FixtureRequest) -> None:
    """Let a test record: events are shipped apart from its transaction, so it needs one that commits.

    The spool comes after the database, so that it is closed before the tables are emptied.
    """
    request.getfixturevalue("spool_folder")
