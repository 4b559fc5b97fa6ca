"""Rows in COPY's binary format, made once by the caller, so that shipping only puts them together."""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import psycopg
from psycopg._copy_base import format_row_binary
from psycopg.adapt import Transformer

from telemetry.events import EVENT_KINDS, EventKind, Row

# What stands for a kind in a frame; numbers are never given anew.
NUMBERS: Final = {1: "job", 2: "llm"}
# COPY's beginning (signature, no flags, no extension) and end.
COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack("!II", 0, 0)
COPY_END: Final = b"\xff\xff"
EPOCH: Final = date(2000, 1, 1)
DAY_US: Final = 86_400_000_000

Encode = Callable[[Row], bytearray]


def encoder(kind: EventKind) -> Encode:
    """Return the function that makes a cleaned row one row of COPY's binary format.

    It is psycopg's own, written in C, which `Copy.write_row` uses too. It checks no range: a cleaned row does
    not need it. Calls must not run side by side.
    """
    transformer = Transformer()
    types = psycopg.adapters.types
    transformer.set_dumper_types([types.get_oid(name) for name in kind.sql_types], psycopg.pq.Format.BINARY)

    def encode(row: Row) -> bytearray:
        out = bytearray()
        format_row_binary(row, transformer, out)
        return out

    return encode


def encoders() -> dict[str, tuple[int, Encode]]:
    """Return a fresh encoder with its number for every kind of event."""
    return {name: (number, encoder(EVENT_KINDS[name])) for number, name in NUMBERS.items()}


def days_of(rows: Sequence[bytes]) -> set[date]:
    """Return the UTC days of encoded rows: created_at is the last column, microseconds since 2000."""
    numbers = {int.from_bytes(row[-8:], "big", signed=True) // DAY_US for row in rows}
    return {EPOCH + timedelta(days=number) for number in numbers}


def created_at(row: bytes) -> datetime:
    """Return when an encoded row's event was created."""
    since = timedelta(microseconds=int.from_bytes(row[-8:], "big", signed=True))
    return datetime(2000, 1, 1, tzinfo=UTC) + since
