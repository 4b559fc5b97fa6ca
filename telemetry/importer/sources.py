"""Opens what is imported: a file, gzip or plain by its content, or standard input, kept in a file first."""

import gzip
import hashlib
import io
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from telemetry.importer.errors import ImportFailedError, ImportRefusedError

CHUNK_BYTES = 1 << 20
MAX_STDIN_BYTES = 16 << 30
KEPT_FREE_BYTES = 1 << 30
GZIP = b"\x1f\x8b"
FOREIGN = {
    b"PK\x03\x04": "is a zip archive (or a spreadsheet): unpack it, or save it as CSV",
    b"BZh": "is compressed with bzip2: unpack it first (bunzip2)",
    b"\xfd7zXZ": "is compressed with xz: unpack it first (unxz)",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd: unpack it first (unzstd)",
    b"PAR1": "is a Parquet file: export it as CSV first",
    b"\xff\xfe": "is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)",
    b"\xfe\xff": "is UTF-16: convert it first (iconv -f UTF-16 -t UTF-8)",
}
BROKEN_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass
class Source:
    """One opened input; it stays the same file even where its name is given to another one meanwhile."""

    name: str
    raw: BinaryIO
    is_gzip: bool

    def stream(self, *, offset: int = 0) -> IO[bytes]:
        """Return the uncompressed content from an offset on."""
        self.raw.seek(0)
        content = cast(IO[bytes], gzip.GzipFile(fileobj=self.raw)) if self.is_gzip else self.raw
        content.seek(offset)
        return content

    def head(self, size_bytes: int) -> bytes:
        """Return the beginning of the uncompressed content."""
        try:
            return self.stream().read(size_bytes)
        except BROKEN_GZIP as error:
            raise ImportRefusedError(f"{self.name} is broken gzip data ({error}): copy it again") from None

    def close(self) -> None:
        self.raw.close()


@dataclass(frozen=True)
class Content:
    """What a source holds: its length, its digest, and the digests of the prefixes that were asked for."""

    size_bytes: int
    sha256: str
    prefixes: dict[int, str]


def open_source(path: str, *, var: Path, name: str | None = None) -> Source:
    """Open a file, or standard input for '-', which is kept in a temporary file below `var` first.

    It is called by its name, or its path where none is given.

    Raises ImportRefusedError where it is missing, unreadable, empty or not text.
    """
    name = name or ("standard input" if path == "-" else path)
    raw = _spooled(name, sys.stdin.buffer, var) if path == "-" else _opened(path, var)
    source = Source(name, raw, raw.read(2) == GZIP)
    try:
        _refuse_foreign(name, source.head(4096))
    except ImportRefusedError:
        source.close()
        raise
    return source


def _opened(path: str, var: Path) -> BinaryIO:
    try:
        if Path(path).is_dir():
            raise ImportRefusedError(f"{path} is a directory: name a file in it")
        if Path(path).is_fifo():
            with open(path, "rb") as pipe:
                return _spooled(path, pipe, var)
        if Path(path).exists() and not Path(path).is_file():
            raise ImportRefusedError(f"{path} is not a regular file: pipe it in, with - as the file")
        return open(path, "rb")
    except (OSError, ValueError) as error:
        if isinstance(error, ImportRefusedError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImportRefusedError(f"{path!r} cannot be read: {reason}") from None


def _spooled(name: str, pipe: IO[bytes], var: Path) -> BinaryIO:
    """Keep what a pipe brings in a file without a name: nothing is left of it when the process dies."""
    var.mkdir(parents=True, exist_ok=True)
    spool = cast(BinaryIO, tempfile.TemporaryFile(dir=var))  # noqa: SIM115  (the source closes it)
    room = min(MAX_STDIN_BYTES, max(0, shutil.disk_usage(var).free - KEPT_FREE_BYTES))
    kept = 0
    while chunk := pipe.read(CHUNK_BYTES):
        kept += len(chunk)
        if kept > room:
            spool.close()
            raise ImportRefusedError(
                f"{name} is larger than the {room >> 20:,} MiB that fit in {var}: import a file"
            )
        spool.write(chunk)
    spool.seek(0)
    return spool


def _refuse_foreign(name: str, head: bytes) -> None:
    if not head:
        raise ImportRefusedError(f"{name} is empty")
    for magic, mend in FOREIGN.items():
        if head.startswith(magic):
            raise ImportRefusedError(f"{name} {mend}")
    first_line = head.split(b"\n", 1)[0]
    try:
        io.TextIOWrapper(io.BytesIO(first_line), "utf-8").read(1024)
    except UnicodeDecodeError:
        raise ImportRefusedError(f"{name} is not text in UTF-8: its first line cannot be read") from None
    if any(byte < 32 and byte not in b"\t\r" for byte in first_line):
        raise ImportRefusedError(f"{name} is a binary file, not CSV or JSON Lines")


def measure(source: Source, *, marks: Iterable[int], report: Callable[[int], None]) -> Content:
    """Read the content once and return its digest, and those of the prefixes that end at `marks`, in bytes.

    `report` is told the bytes read so far. Raises ImportFailedError where gzip data is broken.
    """
    digest, size, prefixes = hashlib.sha256(), 0, {}
    ahead = sorted(set(marks), reverse=True)
    stream = source.stream()
    try:
        while chunk := stream.read(min(CHUNK_BYTES, ahead[-1] - size) if ahead else CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            if ahead and size == ahead[-1]:
                prefixes[ahead.pop()] = digest.copy().hexdigest()
            report(size)
    except BROKEN_GZIP as error:
        raise ImportFailedError(
            f"{source.name} is broken gzip data after {size:,} bytes ({error}): nothing was imported"
        ) from None
    except OSError as error:
        raise ImportFailedError(
            f"{source.name} cannot be read after {size:,} bytes: {os.strerror(error.errno or 0)}"
        ) from None
    return Content(size, digest.hexdigest(), prefixes)
