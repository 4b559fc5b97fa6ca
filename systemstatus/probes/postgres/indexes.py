"""Indexes that cost without use: unused, duplicate and invalid ones, each with a migration to copy."""

from typing import Any, Final

from systemstatus.probes.postgres.asking import rows
from systemstatus.registry import Reading

LISTED: Final = 10
FROM_BYTES: Final = 1_000_000

# Partitions of an index count for the index they belong to; what keeps rows unique is never called unused.
UNUSED: Final = """
WITH used AS (
    SELECT coalesce(pg_partition_root(indexrelid), indexrelid) AS root, sum(idx_scan) AS scans,
        sum(pg_relation_size(indexrelid)) AS bytes
    FROM pg_stat_user_indexes WHERE indexrelid NOT IN (
        SELECT indexrelid FROM pg_index JOIN pg_locks ON relation IN (indrelid, indexrelid)
        WHERE granted AND mode = 'AccessExclusiveLock')
    GROUP BY 1
)
SELECT index.relname AS name, owner.relname AS "table", bytes::bigint,
    pg_get_indexdef(index.oid) AS definition, index.relkind = 'I' AS partitioned
FROM used JOIN pg_class AS index ON index.oid = used.root JOIN pg_index ON indexrelid = index.oid
JOIN pg_class AS owner ON owner.oid = indrelid
WHERE scans = 0 AND NOT indisunique AND NOT indisexclusion AND bytes >= %s ORDER BY bytes DESC LIMIT %s
"""
# One whose columns are the first of another's serves no question that the other does not.
DUPLICATE: Final = """
SELECT small_class.relname AS name, owner.relname AS "table", large_class.relname AS covered_by,
    pg_relation_size(small.indexrelid) AS bytes, pg_get_indexdef(small.indexrelid) AS definition,
    small_class.relkind = 'I' AS partitioned
FROM pg_index AS small
JOIN pg_index AS large ON large.indrelid = small.indrelid AND large.indexrelid <> small.indexrelid
JOIN pg_class AS small_class ON small_class.oid = small.indexrelid
JOIN pg_class AS large_class ON large_class.oid = large.indexrelid AND large_class.relam = small_class.relam
JOIN pg_class AS owner ON owner.oid = small.indrelid AND NOT owner.relispartition
JOIN pg_namespace AS space ON space.oid = owner.relnamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    AND NOT small.indisunique AND NOT small.indisexclusion AND large.indisvalid
    AND small.indpred IS NULL AND large.indpred IS NULL AND small.indexprs IS NULL AND large.indexprs IS NULL
    AND (large.indkey::text || ' ') LIKE (small.indkey::text || ' %%')
    AND (large.indoption::text || ' ') LIKE (small.indoption::text || ' %%')
    AND (large.indclass::text || ' ') LIKE (small.indclass::text || ' %%')
    AND (large.indcollation::text || ' ') LIKE (small.indcollation::text || ' %%')
    AND (large.indkey::text <> small.indkey::text OR large.indisunique OR large.indexrelid < small.indexrelid)
ORDER BY pg_relation_size(small.indexrelid) DESC LIMIT %s
"""
INVALID: Final = """
SELECT index.relname AS name, owner.relname AS "table", 0::bigint AS bytes,
    pg_get_indexdef(index.oid) AS definition, index.relkind = 'I' AS partitioned
FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_class AS owner ON owner.oid = indrelid
WHERE NOT indisvalid AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS made
    WHERE made.index_relid = indexrelid) LIMIT %s
"""
MIGRATION: Final = """from django.db import migrations


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("APP", "THE LAST ONE")]
    operations = [
        migrations.RunSQL(
            {forwards!r},
            {backwards!r},
        )
    ]
"""


def indexes(from_bytes: int = FROM_BYTES) -> Reading:
    """Return the indexes that could go, and how many there are of each kind."""
    found = {
        "unused": rows(UNUSED, [from_bytes, LISTED]),
        "duplicate": rows(DUPLICATE, [LISTED]),
        "invalid": rows(INVALID, [LISTED]),
    }
    values = {f"db.{kind}_indexes": len(listed) for kind, listed in found.items()}
    return Reading(
        values, {"indexes": {kind: [mended(row) for row in listed] for kind, listed in found.items()}}
    )


def mended(row: dict[str, Any]) -> dict[str, Any]:
    """Return an index with what drops it: one statement, and a migration that can be taken back.

    An index that has partitions cannot be dropped beside running work.
    """
    quoted = '"' + str(row["name"]).replace('"', '""') + '"'
    beside = "" if row["partitioned"] else "CONCURRENTLY "
    drop = f"DROP INDEX {beside}IF EXISTS {quoted}"
    again = str(row["definition"]).replace("INDEX ", f"INDEX {beside}", 1).replace(" ON ONLY ", " ON ", 1)
    migration = MIGRATION.format(atomic=bool(row["partitioned"]), forwards=drop, backwards=again)
    return row | {"remedy": f"{drop};", "migration": migration}
