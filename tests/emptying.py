"""Empties the tables that a test filled, and no other: there are a thousand with their partitions."""

from typing import Final

from django.db import connection

from telemetry.apps import make_partitions_ahead

# Django would fill them anew, with the same rows.
SAME_FOR_ALL: Final = ("django_content_type", "auth_permission")
FILLED: Final = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
      AND coalesce(pg_partition_root(oid), oid)::regclass::text = ANY(%s)
"""


def empty_tables() -> None:
    """Leave the database as `manage.py flush` leaves it, ten times as fast."""
    ours = connection.introspection.django_table_names(only_existing=False, include_views=False)
    with connection.cursor() as cursor:
        cursor.execute(FILLED, [[name for name in ours if name not in SAME_FOR_ALL]])
        if filled := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
    make_partitions_ahead(connection.alias)
