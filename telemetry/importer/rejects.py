"""The file of refused rows: one JSON object a line with file, line, column, reason and the row itself."""

import json
import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from telemetry.importer.errors import ImportFailedError, ImportRefusedError
from telemetry.values import generic

EXCERPT = 500
MOST_REASONS = 1000


@dataclass(frozen=True)
class Reason:
    """Why rows were refused, in the words of the first one; how many, and where the first one stands."""

    reason: str
    rows: int
    first_line: int


class Rejects:
    """Appends refused rows to a file that is made when the first one comes, and counts their reasons.

    `through_line` is the last line that the ledger vouches for, None for an import that begins. What stands
    behind it in the file is from an import that was killed before it could commit, and is cut off, so that no
    row is listed twice.
    """

    def __init__(self, path: Path, *, file: str, through_line: int | None, is_chosen: bool) -> None:
        self.path, self.file = path, file
        self._counts: Counter[str] = Counter()
        self._first: dict[str, Reason] = {}
        self._waiting: list[str] = []
        self._stream: IO[str] | None = None
        if path.is_dir():
            raise ImportRefusedError(f"--rejects: {path} is a directory: name a file in it")
        if not path.exists():
            return
        if is_chosen and path.stat().st_size and (through_line is None or _file_of(path) != file):
            raise ImportRefusedError(f"--rejects: {path} exists already: name another file, or remove it")
        cut_after(path, -1 if through_line is None else through_line)

    def add(self, line: int, column: str, reason: str, row: str, *, source: str | None = None) -> None:
        """Take one refused row; it reaches the file with `flush`."""
        entry = {
            "file": self.file,
            "line": line,
            "column": column,
            "source": source,
            "reason": reason,
            "row": row,
        }
        self._waiting.append(json.dumps(entry, ensure_ascii=False))
        key = generic(reason)
        key = key if key in self._counts or len(self._counts) < MOST_REASONS else ""
        self._counts[key] += 1
        self._first.setdefault(key, Reason(reason if key else "other reasons", 0, line))

    def reasons(self, most: int = 10) -> list["Reason"]:
        """Return the most frequent reasons, those that differ only in their values counted together."""
        return [replace(self._first[key], rows=count) for key, count in self._counts.most_common(most)]

    def flush(self) -> None:
        """Bring the rows taken so far to the disk. Raises ImportFailedError."""
        if not self._waiting:
            return
        try:
            self._append("\n".join(self._waiting) + "\n")
        except OSError as error:
            reason = f"{self.path} cannot be written: {error.strerror}"
            raise ImportFailedError(f"{reason}. Name another file with --rejects") from None
        self._waiting.clear()

    def _append(self, text: str) -> None:
        if self._stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("a", encoding="utf-8", errors="backslashreplace")
        self._stream.write(text)
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        if self._stream:
            self._stream.close()


def cut_after(path: Path, line: int) -> None:
    """Shorten a file of rejects to the entries up to a line of the imported file."""
    with path.open("rb+") as stream:
        kept = 0
        while (entry := stream.readline()).endswith(b"\n") and _line_of(entry) <= line:
            kept += len(entry)
        stream.truncate(kept)


def _file_of(path: Path) -> object:
    with path.open("rb") as stream:
        try:
            return json.loads(stream.readline(100_000)).get("file")
        except (ValueError, AttributeError):
            return None


def _line_of(entry: bytes) -> float:
    try:
        return int(json.loads(entry)["line"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
