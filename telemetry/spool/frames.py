"""The bytes of a segment: a first line that says how rows are laid out, then one frame an event."""

import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from telemetry.encoding import NUMBERS
from telemetry.events import EVENT_KINDS

MAGIC: Final = b"HPSPOOL1 "
MARK: Final = b"\xf7\x9e"
HEAD: Final = struct.Struct("<2sBHI")  # mark, kind, length of the payload, its checksum
FIRST_LINE_MOST: Final = 8192
PAYLOAD_MOST: Final = 4096
# A name becomes part of others, of files too.
NAME: Final = re.compile(r"[0-9A-Za-z.-]{1,120}")


class BadSegment(Exception):  # noqa: N818 - reads as what was found
    """A file that is no segment, or one that this version cannot read; the message says why."""


class OtherVersion(BadSegment):
    """A whole segment of a version that has other columns, whose processes can read it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A segment's identity, which outlives renaming and copying, and the columns of its rows by kind."""

    name: str
    columns: Mapping[str, Sequence[str]]
    start: int


def first_line(name: str) -> bytes:
    """Return the line that begins a segment of this version."""
    columns = {
        kind.name: list(zip(kind.columns, kind.sql_types, strict=True)) for kind in EVENT_KINDS.values()
    }
    return MAGIC + json.dumps({"segment": name, "columns": columns}).encode() + b"\n"


def read_first_line(data: bytes) -> Layout:
    """Read what `first_line` wrote, maybe by an older version; raises BadSegment."""
    line, end, _ = data[:FIRST_LINE_MOST].partition(b"\n")
    if not end or not line.startswith(MAGIC):
        raise BadSegment("it does not begin as a segment does")
    try:
        told = json.loads(line[len(MAGIC) :])
        layout = Layout(
            str(told["segment"]), {k: [c for c, _ in v] for k, v in told["columns"].items()}, len(line) + 1
        )
        types = {(kind, column): type_ for kind, pairs in told["columns"].items() for column, type_ in pairs}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadSegment("its first line cannot be read") from error
    known = {
        (k.name, c): t for k in EVENT_KINDS.values() for c, t in zip(k.columns, k.sql_types, strict=True)
    }
    if any(known.get(column) != type_ for column, type_ in types.items()):
        raise OtherVersion("its columns are not those of this version")
    if not NAME.fullmatch(layout.name) or any(
        names[-1:] != ["created_at"] for names in layout.columns.values()
    ):
        raise BadSegment("its first line cannot be used")
    return layout


def framed(number: int, payload: bytes | bytearray) -> bytes:
    """Return one event as it is appended to a segment."""
    return HEAD.pack(MARK, number, len(payload), crc32(payload, number)) + payload


@dataclass(slots=True)
class Chunk:
    """What a stretch of a segment holds: rows by kind, where it ends, and what could not be read."""

    rows: dict[str, list[bytes]] = field(default_factory=dict)
    length: int = 0
    garbage: list[tuple[int, bytes]] = field(default_factory=list)
    is_torn: bool = False

    @property
    def events(self) -> int:
        return sum(map(len, self.rows.values()))


def parse(data: bytes, *, is_last: bool) -> Chunk:
    """Read the frames of a stretch that begins with one.

    A frame that its end cuts off is left for the next stretch; in the last one it is the torn end of a killed
    process, whose record() never returned. Anything else that is no frame is garbage, up to the next frame.

    Args:
        data: bytes of a segment. is_last: whether the segment ends with them for good.
    """
    chunk = Chunk()
    rows: dict[int, list[bytes]] = {number: [] for number in NUMBERS}
    place, end = 0, len(data)
    while place < end:
        payload = frame_at(data, place)
        if payload is not None:
            number = data[place + 2]
            rows[number].append(payload)
            place += HEAD.size + len(payload)
        else:
            after = skip(data, place, is_last=is_last)
            if after == place:
                chunk.is_torn = is_last
                break
            chunk.garbage.append((place, data[place:after]))
            place = after
    chunk.rows = {NUMBERS[number]: found for number, found in rows.items() if found}
    chunk.length = place
    return chunk


def frame_at(data: bytes, place: int) -> bytes | None:
    """Return the payload of the whole frame that begins here, or None where none does."""
    if place + HEAD.size > len(data):
        return None
    mark, number, length, checksum = HEAD.unpack_from(data, place)
    start = place + HEAD.size
    payload = data[start : start + length]
    if mark != MARK or number not in NUMBERS or len(payload) != length or crc32(payload, number) != checksum:
        return None
    return payload


def skip(data: bytes, place: int, *, is_last: bool) -> int:
    """Return where reading goes on behind what is no whole frame; `place` where more must come first."""
    after = data.find(MARK, place + 1)
    while after >= 0 and frame_at(data, after) is None:
        after = data.find(MARK, after + 1)
    if after >= 0:
        return after
    if is_last:
        return place if begins_frame(data, place) else len(data)
    # Whatever lies further back than the longest frame is not the beginning of one that is cut off.
    return max(place, len(data) - HEAD.size - PAYLOAD_MOST)


def begins_frame(data: bytes, place: int) -> bool:
    """Say whether the rest could be the beginning of a frame that was cut off."""
    rest = data[place:]
    if len(rest) < HEAD.size:
        return rest[:2] == MARK[: len(rest)]
    mark, number, length, _ = HEAD.unpack_from(rest)
    return mark == MARK and number in NUMBERS and len(rest) - HEAD.size < length <= PAYLOAD_MOST
