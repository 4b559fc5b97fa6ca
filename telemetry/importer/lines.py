"""Physical lines of a file: bounded, counted, and put back where a record turns out broken."""

from collections import deque
from typing import IO

MAX_LINE_BYTES = 1 << 20
MAX_RECORD_LINES = 1000
KEPT_OF_LONG_LINE_BYTES = 1000


class BrokenLineError(ValueError):
    """A line, or a record that began on it, that cannot be read; the text is the reason."""


class UnclosedError(BrokenLineError):
    """A record that goes on over more lines than are read for one."""


class LongLine(bytes):
    """The beginning of a line too long to be kept; `length` is what it takes in the file, in bytes."""

    length: int


class Lines:
    """Iterates over the lines of a stream as text.

    Attributes:
        offset: bytes from the beginning of the content to the end of the last line read.
        line: number of the last line read, the first line being 1.
        taken: the lines of the record being read.
        most_lines: how many of them a record may have; whoever reads records may lower it.
    """

    def __init__(self, stream: IO[bytes], *, end: int, offset: int = 0, line: int = 0) -> None:
        self.offset, self.line = offset, line
        self.taken: list[bytes] = []
        self.most_lines = MAX_RECORD_LINES
        self._began = offset
        self._stream, self._left = stream, end - offset
        self._returned: deque[bytes] = deque()

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """Return the next line. Raises BrokenLineError, after which the iteration may go on."""
        raw = self._returned.popleft() if self._returned else self._read()
        if not raw:
            raise StopIteration
        taken = self.taken
        taken.append(raw)
        self.line += 1
        self.offset += length_of(raw)
        if type(raw) is LongLine:
            raise BrokenLineError(
                f"the line is {raw.length:,} bytes long; at most {MAX_LINE_BYTES:,} are read"
            )
        if len(taken) == 1:
            self._began = self.offset
        elif len(taken) > self.most_lines or self.offset - self._began > MAX_LINE_BYTES:
            raise UnclosedError("a quote is not closed")
        try:
            return raw.decode() if self.line > 1 else raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BrokenLineError(f"byte {error.start + 1} of the line is not UTF-8") from None

    def put_back_all_but_first(self) -> None:
        """Give back the lines of the record after its first; they are read again, as records of their own."""
        for raw in reversed(self.taken[1:]):
            self._returned.appendleft(raw)
            self.line -= 1
            self.offset -= length_of(raw)
        del self.taken[1:]

    def excerpt(self, length: int) -> str:
        """Return the beginning of the record being read, bytes that are not UTF-8 escaped."""
        return b"".join(self.taken)[: 4 * length].decode(errors="backslashreplace").rstrip("\r\n")[:length]

    def _read(self) -> bytes:
        raw = self._stream.readline(min(MAX_LINE_BYTES + 1, self._left))
        self._left -= len(raw)
        if len(raw) <= MAX_LINE_BYTES or raw.endswith(b"\n"):
            return raw
        long = LongLine(raw[:KEPT_OF_LONG_LINE_BYTES])
        long.length = len(raw) + self._skip_rest_of_line()
        return long

    def _skip_rest_of_line(self) -> int:
        skipped = 0
        while chunk := self._stream.readline(min(MAX_LINE_BYTES, self._left)):
            skipped += len(chunk)
            self._left -= len(chunk)
            if chunk.endswith(b"\n"):
                break
        return skipped


def length_of(raw: bytes) -> int:
    """Return the bytes that a line takes in the file."""
    return raw.length if type(raw) is LongLine else len(raw)
