"""Reading lines and records: bounded, and a broken one costs its own line and nothing after it."""

import io
from collections.abc import Callable
from decimal import Decimal
from typing import IO, Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telemetry.importer.errors import ImportRefusedError
from telemetry.importer.lines import MAX_LINE_BYTES, MAX_RECORD_LINES, BrokenLineError, Lines
from telemetry.importer.records import csv_header, csv_records, json_getter, json_records

Reader = Callable[[Lines], Any]


def csv_of_two(lines: Lines) -> Any:
    return csv_records(lines, 2, ",")


def read(content: bytes, reader: Reader = csv_of_two) -> list[tuple[int, object]]:
    """Return each record, or the reason why there is none, with the number of its first line."""
    lines = Lines(io.BytesIO(content), end=len(content))
    return [(first_line(lines), plain(record)) for record in reader(lines)]


def first_line(lines: Lines) -> int:
    return lines.line - len(lines.taken) + 1


def plain(record: object) -> object:
    return f"refused: {record}" if isinstance(record, BrokenLineError) else record


def test_rows_come_with_the_number_of_their_first_line() -> None:
    content = b'a,b\r\n"c\nd",e\n\n"f ""g""","h,i"\nj,k'
    assert read(content) == [(1, ["a", "b"]), (2, ["c\nd", "e"]), (5, ['f "g"', "h,i"]), (6, ["j", "k"])]


def test_a_byte_order_mark_belongs_to_no_field() -> None:
    lines = Lines(io.BytesIO(b'\xef\xbb\xbf"a b",c\n1,2\n'), end=100)
    assert csv_header(lines, ",") == ["a b", "c"]


def test_a_row_with_the_wrong_number_of_fields_is_refused_alone() -> None:
    assert read(b"a,b\n1,2,3\n4\nc,d\n") == [
        (1, ["a", "b"]),
        (2, "refused: 3 fields where the header has 2"),
        (3, "refused: 1 fields where the header has 2"),
        (4, ["c", "d"]),
    ]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest() -> None:
    rest = b"".join(b"%d,x\n" % number for number in range(3000))
    found = read(b'a,b\n1,"open\n' + rest)
    assert found[1] == (2, "refused: a quote is not closed")
    assert found[2:] == [(number + 3, [str(number), "x"]) for number in range(3000)]


def test_a_quote_left_open_before_a_quoted_row_costs_one_line() -> None:
    assert read(b'1,"open\n2,"closed"\n3,c\n') == [
        (1, "refused: broken CSV: ',' expected after '\"'"),
        (2, ["2", "closed"]),
        (3, ["3", "c"]),
    ]


def test_a_quote_left_open_on_the_last_line_is_refused() -> None:
    assert read(b'1,2\n3,"4') == [(1, ["1", "2"]), (2, "refused: a quote is not closed")]


def test_a_record_of_very_many_lines_is_taken_for_an_open_quote() -> None:
    lines = b"\n" * (MAX_RECORD_LINES + 5)
    assert read(b'"' + lines + b'",b\n')[0] == (1, "refused: a quote is not closed")
    assert read(b'"' + b"\n" * 900 + b'",b\n') == [(1, ["\n" * 900, "b"])]


def test_a_file_full_of_open_quotes_is_read_in_little_more_than_one_pass() -> None:
    content = b'a","\n' * 20_000
    stream = io.BytesIO(content)
    lines = Counting(stream, end=len(content))
    assert sum(1 for _ in csv_of_two(lines)) == 20_000
    assert lines.reads < 3 * 20_000


class Counting(Lines):
    """Counts how often a line is read."""

    reads = 0

    def __next__(self) -> str:
        self.reads += 1
        return super().__next__()


def test_bytes_that_are_not_utf8_cost_their_line() -> None:
    assert read(b"a,b\n\xff\xfe,b\nc,d\n") == [
        (1, ["a", "b"]),
        (2, "refused: byte 1 of the line is not UTF-8"),
        (3, ["c", "d"]),
    ]


def test_a_carriage_return_inside_a_line_is_refused() -> None:
    assert read(b"a,b\rc,d\ne,f\n") == [
        (1, "refused: a carriage return stands inside the line"),
        (2, ["e", "f"]),
    ]


class Endless(io.RawIOBase):
    """A first line of so many bytes, then a row; it notes the largest read that was asked for."""

    def __init__(self, length: int) -> None:
        self.left, self.tail, self.largest = length, io.BytesIO(b"\nc,d\n"), 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, size or 0)
        assert size is not None
        assert size > 0
        if self.left <= 0:
            return self.tail.readline(size)
        taken = min(self.left, size)
        self.left -= taken
        return b"x" * taken


def test_a_line_of_100_mb_is_refused_without_being_held_in_memory() -> None:
    length = 100 << 20
    stream = Endless(length)
    lines = Lines(cast(IO[bytes], stream), end=length + 5)
    records = csv_of_two(lines)
    assert plain(next(records)) == "refused: the line is 104,857,601 bytes long; at most 1,048,576 are read"
    assert len(lines.excerpt(500)) == 500
    assert stream.largest <= MAX_LINE_BYTES + 1
    assert next(records) == ["c", "d"]
    assert (lines.line, lines.offset) == (2, length + 5)


def test_the_content_ends_where_it_was_measured_even_if_the_file_has_grown() -> None:
    lines = Lines(io.BytesIO(b"a,b\nc,d\ne,f\n"), end=8)
    assert [plain(record) for record in csv_of_two(lines)] == [["a", "b"], ["c", "d"]]


def test_a_header_that_cannot_be_read_is_refused() -> None:
    for content in (b"", b'"a,b\n', b"\xff,b\n", b"x" * (MAX_LINE_BYTES + 2)):
        with pytest.raises(ImportRefusedError, match="the header in line 1 cannot be read"):
            csv_header(Lines(io.BytesIO(content), end=len(content)), ",")


def test_json_lines_are_objects_with_exact_fractions() -> None:
    content = b'{"a": 1.10, "b": {"c": null}}\n\n[1]\n{"a": NaN}\nnope\n{"a": 1'
    found = read(content, json_records)
    assert found[0] == (1, {"a": Decimal("1.10"), "b": {"c": None}})
    assert [(line, str(said)[:32]) for line, said in found[1:]] == [
        (3, "refused: the line is not a JSON "),
        (4, "refused: NaN is not a JSON value"),
        (5, "refused: not JSON: Expecting val"),
        (6, "refused: not JSON: Expecting ','"),
    ]


def test_json_that_is_nested_absurdly_or_holds_endless_digits_is_refused() -> None:
    deep, long = b"[" * 100_000, b'{"a": ' + b"9" * 10_000 + b"}"
    found = read(deep + b"\n" + long + b'\n{"a": 1}\n', json_records)
    assert [str(record).startswith("refused") for _, record in found] == [True, True, False]


def test_a_dotted_path_reads_nested_objects_unless_a_key_has_that_name() -> None:
    get = json_getter("usage.input")
    assert get({"usage": {"input": 5}}) == 5
    assert get({"usage.input": 7, "usage": {"input": 5}}) == 7
    assert get({"usage": 3}) is None
    assert get({}) is None


fragments = st.lists(
    st.sampled_from(
        [b"a", b",", b'"', b"\n", b"\r\n", b"\r", b'""', b"\xff", b"\x00", b"a,b\n", b"\xef\xbb\xbf", b"{}"]
    ),
    max_size=40,
).map(b"".join)


@pytest.mark.parametrize("reader", [csv_of_two, json_records])
@settings(max_examples=300)
@given(content=fragments | st.binary(max_size=80))
@example(content=b'a"b,"\n' * 30)
@example(content=b'"\n' * 31)
@example(content=b'"""\n' * 31)
@example(content=b'\n"\xff\n",\n')
def test_every_line_of_any_bytes_is_accounted_for_once(reader: Reader, content: bytes) -> None:
    physical = io.BytesIO(content).readlines()
    lines = Lines(io.BytesIO(content), end=len(content))
    seen: list[int] = []
    for _ in reader(lines):
        seen += range(first_line(lines), lines.line + 1)
        assert lines.offset == sum(map(len, physical[: lines.line]))
    assert seen == sorted(set(seen))
    unseen = set(range(1, len(physical) + 1)) - set(seen)
    assert all(is_blank(physical[number - 1]) for number in unseen)
    assert (lines.line, lines.offset) == (len(physical), len(content))


def is_blank(line: bytes) -> bool:
    return not line.removeprefix(b"\xef\xbb\xbf").decode().strip()
