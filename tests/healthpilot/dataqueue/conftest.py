"""A clean queue, the table that test jobs write to, and ways to put jobs in and look at them."""

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.db import connection

from healthpilot import admission, configuration
from tests.healthpilot.dataqueue import kinds


@pytest.fixture
def rows_table(transactional_db: None) -> Iterator[None]:
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
    broker = redis.Redis.from_url(configuration.redis_address(settings.REDIS_URL))
    broker.flushall()
    yield broker
    admission.unregister()
    broker.close()
