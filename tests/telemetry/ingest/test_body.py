"""Bodies at the door: type, size, compression."""

import gzip
import tracemalloc

import pytest
from django.test import RequestFactory

from telemetry.ingest import body
from telemetry.ingest.body import BodyRefusedError, body_of

NDJSON = "application/x-ndjson"


def read(data: bytes, content_type: str = NDJSON, **headers: str) -> bytes:
    # Django's factory leaves the type of an empty body out unless it stands in the environment.
    request = RequestFactory(CONTENT_TYPE=content_type).post("/", data, content_type, headers=headers)
    return body_of(request)


def refused(data: bytes, content_type: str = NDJSON, **headers: str) -> tuple[int, str]:
    with pytest.raises(BodyRefusedError) as caught:
        read(data, content_type, **headers)
    return caught.value.status, caught.value.code


@pytest.mark.parametrize("content_type", [*body.TYPES, f"{NDJSON}; charset=utf-8", f"{NDJSON};charset=UTF-8"])
def test_ndjson_in_utf8_is_read_as_it_is(content_type: str) -> None:
    assert read(b'{"a":1}\n', content_type) == b'{"a":1}\n'


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", f"{NDJSON}; charset=latin-1"])
def test_any_other_type_is_refused(content_type: str) -> None:
    assert refused(b"{}", content_type) == (415, "unsupported_type")


def test_gzip_is_inflated_also_in_several_members() -> None:
    data = gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"b":2}\n')
    assert read(data, **{"Content-Encoding": "gzip"}) == b'{"a":1}\n{"b":2}\n'


def test_an_unknown_compression_is_refused() -> None:
    assert refused(b"x", **{"Content-Encoding": "br"}) == (415, "unsupported_encoding")


@pytest.mark.parametrize(
    "data",
    [
        b"not gzip",
        gzip.compress(b"{}" * 100, mtime=0)[:-9],
        gzip.compress(b"{}", mtime=0) + b"tail",
        b"\x1f\x8b",
    ],
)
def test_broken_gzip_is_refused(data: bytes) -> None:
    assert refused(data, **{"Content-Encoding": "gzip"}) == (400, "broken_gzip")


@pytest.mark.parametrize("data", [b"", b" \n\n", gzip.compress(b"", mtime=0)])
def test_a_body_without_anything_in_it_is_refused(data: bytes) -> None:
    headers = {"Content-Encoding": "gzip"} if data[:2] == b"\x1f\x8b" else {}
    assert refused(data, **headers) == (422, "no_events")


def test_more_than_the_limit_is_refused_before_it_is_read() -> None:
    assert refused(b"x" * (body.SENT_MOST_BYTES + 1)) == (413, "too_large")


def test_a_bomb_is_refused_while_it_unfolds() -> None:
    bomb = gzip.compress(bytes(300 << 20), compresslevel=1)
    assert len(bomb) < body.SENT_MOST_BYTES
    tracemalloc.start()
    try:
        assert refused(bomb, **{"Content-Encoding": "gzip"}) == (413, "too_large")
        assert tracemalloc.get_traced_memory()[1] < 3 * body.INFLATED_MOST_BYTES
    finally:
        tracemalloc.stop()


def test_a_body_in_chunks_needs_a_server_that_ends_it() -> None:
    assert refused(b"{}", **{"Transfer-Encoding": "chunked"}) == (411, "length_required")
