"""A clean queue, the table that test jobs write to, and ways to put jobs in and look at them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as configured
from django.db import connection
from pytest_django import Settings

from healthpilot import admission, configuration
from telemetry import spool
from tests.healthpilot.dataqueue import kinds


@pytest.fixture
def recording(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[None]:
    """A spool of the test's own, closed before the tables are emptied."""
    spool.close(5)
    settings.HEALTHPILOT_VAR = tmp_path
    yield
    spool.close(5)


@pytest.fixture
def rows_table(recording: None) -> Iterator[None]:
    """The table that test jobs write to."""
    with connection.cursor() as cursor:
        cursor.execute(kinds.TABLE)
        cursor.execute("TRUNCATE test_rows")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS test_rows")


@pytest.fixture(autouse=True)
def clean_broker() -> Iterator[redis.Redis]:
    """An empty Redis before each test, and nobody asked for admission after it."""
    broker = redis.Redis.from_url(configuration.redis_address(configured.REDIS_URL))
    broker.flushall()
    yield broker
    admission.unregister()
    broker.close()
