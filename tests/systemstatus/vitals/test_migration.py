"""The tables of signs and canaries come and go with their migration."""

import pytest
from django.db import connection

from tests.migrating import migrated_to

TABLES = {"status_signs", "status_canaries"}


@pytest.mark.django_db(transaction=True)
def test_the_migration_reverses() -> None:
    assert set(connection.introspection.table_names()) >= TABLES
    with migrated_to("systemstatus", "0003_alerts"):
        assert not TABLES & set(connection.introspection.table_names())
    assert set(connection.introspection.table_names()) >= TABLES
