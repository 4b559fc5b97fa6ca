"""Counters of budgets that know nothing of earlier tests, for every test that lets budgets decide."""

from collections.abc import Iterator

import pytest

from costs.throttle.admission import state
from costs.throttle.decisions import waiting


def forget_counters() -> None:
    """Forget what this process and Valkey know of budgets, and the answers that are not written yet."""
    waiting.reset()
    state.reset()
    state.counters.client.flushall()


@pytest.fixture
def fresh_counters() -> Iterator[None]:
    """Counters in Valkey and in this process, both emptied around the test."""
    forget_counters()
    yield
    forget_counters()
    state.reset()
