"""Writes and reads signs of life; the database's clock tells their age, so no two clocks are compared."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from systemstatus.probes.postgres.asking import rows

# Whoever is gone for so long, and whose queues others serve, was taken away for good.
FORGOTTEN_S: Final = 3600.0
KEPT: Final = "30 days"

SAY: Final = """
INSERT INTO status_signs AS known (name, role, host, pid, detail, seen_at)
VALUES (%(name)s, %(role)s, %(host)s, %(pid)s, %(detail)s::jsonb,
    clock_timestamp() - make_interval(secs => %(stale_s)s))
ON CONFLICT (name) DO UPDATE SET role = EXCLUDED.role, host = EXCLUDED.host, detail = EXCLUDED.detail,
    started_at = CASE WHEN known.pid = EXCLUDED.pid AND known.ended_at IS NULL
        THEN known.started_at ELSE clock_timestamp() END,
    pid = EXCLUDED.pid, seen_at = EXCLUDED.seen_at, ended_at = NULL, updated_at = clock_timestamp()
"""
READ: Final = """
SELECT name, host, pid, started_at, seen_at, ended_at, detail,
    greatest(extract(epoch FROM clock_timestamp() - seen_at), 0)::float8 AS age_s
FROM status_signs WHERE role = %s ORDER BY seen_at DESC LIMIT 200
"""


@dataclass(frozen=True)
class Seen:
    """A process as it was last seen; age_s: seconds since then."""

    name: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    detail: dict[str, Any]
    age_s: float


def say(name: str, role: str, detail: Mapping[str, Any], *, stale_s: float = 0) -> None:
    """Write that a process lives; stale_s: seconds since it last did its work."""
    values: dict[str, Any] = {
        "name": name[:120],
        "role": role,
        "host": socket.gethostname()[:120],
        "pid": os.getpid(),
        "detail": json.dumps(detail, default=str),
        "stale_s": stale_s,
    }
    with connection.cursor() as cursor:
        cursor.execute(SAY, values)


def end(name: str) -> None:
    """Write that a process ended in order."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE status_signs SET ended_at = clock_timestamp() WHERE name = %s", [name[:120]])


def seen(role: str) -> list[Seen]:
    """Return the processes of a role, the freshest first."""
    found = rows(READ, [role])
    return [Seen(**row | {"detail": json.loads(row["detail"])}) for row in found]


def workers() -> list[Seen]:
    """Return the Celery workers that run or should, without those that were taken away."""
    every = [one for one in seen("worker") if one.ended_at is None]
    served = {queue for one in every if one.age_s < FORGOTTEN_S for queue in one.detail.get("queues", [])}
    return [one for one in every if one.age_s < FORGOTTEN_S or set(one.detail.get("queues", [])) - served]


def prune() -> None:
    """Remove who was not seen for a month."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM status_signs WHERE seen_at < clock_timestamp() - interval '{KEPT}'")
