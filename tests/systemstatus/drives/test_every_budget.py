"""Each budget turns yellow, red and well again by its own figure; none is left out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from systemstatus import registry
from systemstatus.thresholds import THRESHOLDS
from telemetry import flushing
from tests.systemstatus.drives import database, queues, services
from tests.systemstatus.drives.drive import Row, World, drive

ROWS: tuple[Row, ...] = (*database.ROWS, *queues.ROWS, *services.ROWS)


@pytest.fixture(autouse=True)
def emptied() -> Iterator[None]:
    """What other tests left in Redis is none of these minutes'."""
    with flushing.client() as broker:
        broker.flushall()
        yield
        broker.flushall()


def test_no_budget_is_left_out() -> None:
    assert {row.budget for row in ROWS} == {row.id for row in THRESHOLDS}


def test_what_a_module_measures_is_driven_by_that_module() -> None:
    measured = {metric.budget for module in registry.modules() for metric in module.metrics if metric.budget}
    by_probe = {row.budget for row in ROWS if row.probes}
    assert measured - by_probe == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_budget_turns_yellow_then_red_and_well_again(
    row: Row, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    at = timezone.now().replace(second=0, microsecond=0)
    drive(row, World(monkeypatch, settings, tmp_path, at))
