"""The tables of alerts come and go with their migration."""

import pytest
from django.db import connection

from tests.migrating import migrated_to

TABLES = {"alerts", "alert_transitions", "alert_notifications", "alert_silences", "alert_maintenance"}


@pytest.mark.django_db(transaction=True)
def test_the_migration_reverses() -> None:
    assert set(connection.introspection.table_names()) >= TABLES
    with migrated_to("systemstatus", "0002_snapshots"):
        assert not TABLES & set(connection.introspection.table_names())
    assert set(connection.introspection.table_names()) >= TABLES
