"""The tables of signs, canaries and errors come and go with their migration."""

import pytest
from django.db import connection

from tests.migrating import migrated_to

TABLES = {"status_signs", "status_canaries", "status_error_groups", "status_error_hours"}


@pytest.mark.django_db(transaction=True)
def test_the_migrations_reverse() -> None:
    assert set(connection.introspection.table_names()) >= TABLES
    with migrated_to("systemstatus", "0003_alerts"):
        assert not TABLES & set(connection.introspection.table_names())
    assert set(connection.introspection.table_names()) >= TABLES
