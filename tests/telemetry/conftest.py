"""Fixtures of the telemetry tests."""

from collections.abc import Iterator

import pytest

from telemetry import store
from telemetry.drops import drops


@pytest.fixture
def recording(transactional_db: None) -> Iterator[None]:
    """Let a test record: events are stored apart from its transaction, so it needs one that commits."""
    drops.reset()
    yield
    store.close()
    drops.reset()
