"""The body of an ingest request: its type, compression and size, never more in memory than is allowed."""

import zlib
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, UnreadablePostError

SENT_MOST_BYTES = 4 << 20
INFLATED_MOST_BYTES = 16 << 20
CHUNK_BYTES = 64 << 10
TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
GZIP = 16 + zlib.MAX_WBITS


class BodyRefusedError(Exception):
    """A body that is not looked into: the status and what to say."""

    def __init__(self, status: int, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.remedy = status, code, message, remedy


def body_of(request: HttpRequest) -> bytes:
    """Return the request's body, inflated where it came gzipped; raises BodyRefusedError."""
    require_type(request)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "x-gzip"}:
        raise BodyRefusedError(
            415,
            "unsupported_encoding",
            f"Content-Encoding is {encoding[:40]!r}.",
            "Send the body as it is, or with gzip.",
        )
    chunks = sent_chunks(request)
    whole = b"".join(inflated(chunks) if "gzip" in encoding else chunks)
    if not whole.strip():
        raise BodyRefusedError(422, "no_events", "The body holds no event.", "Send one JSON object a line.")
    return whole


def require_type(request: HttpRequest) -> None:
    """Refuse a body that does not say it is NDJSON in UTF-8."""
    charset = request.content_params.get("charset", "utf-8").lower() if request.content_params else "utf-8"
    if request.content_type not in TYPES or charset not in {"utf-8", "utf8", "us-ascii"}:
        raise BodyRefusedError(
            415,
            "unsupported_type",
            f"Content-Type is {(request.headers.get('Content-Type') or 'missing')[:80]!r}.",
            "Send application/x-ndjson in UTF-8: one JSON object a line.",
        )


def sent_chunks(request: HttpRequest) -> Iterator[bytes]:
    """Yield what was sent, as far as it may be."""
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > SENT_MOST_BYTES:
        raise too_large("sent", SENT_MOST_BYTES)
    stream, received = stream_of(request), 0
    while chunk := read(stream):
        received += len(chunk)
        if received > SENT_MOST_BYTES:
            raise too_large("sent", SENT_MOST_BYTES)
        yield chunk


def stream_of(request: HttpRequest) -> Any:
    """Return where the body comes from: Django itself reads none that comes in chunks."""
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return request
    if not request.META.get("wsgi.input_terminated"):
        raise BodyRefusedError(
            411, "length_required", "The body came in chunks.", "Send it with a Content-Length."
        )
    return request.META["wsgi.input"]


def read(stream: Any) -> bytes:
    try:
        chunk: bytes = stream.read(CHUNK_BYTES)
    except (UnreadablePostError, OSError) as error:
        raise BodyRefusedError(
            400, "broken_body", "The body ended before all of it had come.", "Send the request again."
        ) from error
    return chunk


def inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield gzip data inflated, a piece at a time, and stop at the limit: a bomb never unfolds."""
    inflater, size = zlib.decompressobj(GZIP), 0
    for chunk in chunks:
        left = chunk
        while left:
            if inflater.eof:  # another member follows
                inflater = zlib.decompressobj(GZIP)
            try:
                piece = inflater.decompress(left, CHUNK_BYTES)
            except zlib.error as error:
                raise broken_gzip() from error
            size += len(piece)
            if size > INFLATED_MOST_BYTES:
                raise too_large("inflated", INFLATED_MOST_BYTES)
            yield piece
            left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if not inflater.eof:
        raise broken_gzip()


def broken_gzip() -> BodyRefusedError:
    return BodyRefusedError(
        400, "broken_gzip", "The body is no whole gzip data.", "Compress it again, or send it as it is."
    )


def too_large(how: str, most: int) -> BodyRefusedError:
    return BodyRefusedError(
        413,
        "too_large",
        f"The body is larger than {most >> 20} MiB {how}.",
        "Send fewer events at once: up to 1,000 a request.",
    )
