"""Fixtures of the governance tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from governance import preflight
from tests.governance.clone import Clone, copy
from tests.governance.repository import Repository, make


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Documents in order, in a folder of their own."""
    return make(tmp_path / "repository")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A copy of this repository, as a fresh clone has it; made once."""
    folder = tmp_path_factory.mktemp("clone")
    yield copy(Path(preflight.ROOT), folder / "healthpilot")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def clone(whole: Clone) -> Iterator[Clone]:
    """The copy with its documents as they came; what a test changes is taken back."""
    yield whole
    whole.restore()
