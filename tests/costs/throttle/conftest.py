"""Budgets in PostgreSQL and counters in Valkey, both emptied around each test."""

from collections.abc import Callable
from typing import Any

import pytest

from costs.models import CostBudget
from costs.throttle import caps
from costs.throttle.admission import state

Budget = Callable[..., CostBudget]


@pytest.fixture(autouse=True)
def _fresh(fresh_counters: None) -> None:
    """Give every test here counters of its own."""


@pytest.fixture
def budget() -> Budget:
    """Store a budget's caps and publish them, as saving one does."""

    def save(scope: str = "global", key: str = "", **limits: Any) -> CostBudget:
        row, _ = CostBudget.objects.update_or_create(
            apply_scope=scope, scope_key=key, defaults={"updated_by": "tests", **limits}
        )
        caps.publish(state.counters)
        return row

    return save
