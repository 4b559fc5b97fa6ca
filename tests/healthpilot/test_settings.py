"""The settings: derived addresses, session limits, the content policy."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_every_connection_opens_with_its_limits_and_in_utc() -> None:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "TimeZone")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(unnest(%s::text[]))", [list(names)])
        assert [row[0] for row in cursor.fetchall()] == ["5s", "5min", "1min", "UTC"]
