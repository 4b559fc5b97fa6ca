"""Records of CSV and JSON Lines, one after the other; a broken one costs its own line and no more."""

import csv
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from telemetry.importer.errors import ImportRefusedError
from telemetry.importer.lines import MAX_LINE_BYTES, MAX_RECORD_LINES, BrokenLineError, Lines, UnclosedError

# A record, or the reason why there is none.
Records = Iterator["list[str] | dict[str, Any] | BrokenLineError"]


def csv_header(lines: Lines, delimiter: str) -> list[str]:
    """Return the names in the first line of a CSV file. Raises ImportRefusedError."""
    try:
        names = next(csv.reader(lines, delimiter=delimiter, strict=True))
    except (StopIteration, BrokenLineError, csv.Error) as error:
        raise ImportRefusedError(f"the header in line 1 cannot be read: {error}") from None
    return [name.strip() for name in names]


def csv_records(lines: Lines, width: int, delimiter: str) -> Records:
    """Yield the rows of a CSV file, each of `width` fields.

    Where a record is broken its first line is refused and reading goes on with the next line, so that a quote
    that nobody closed does not swallow the rest of the file. Blank lines are passed over. Each such quote
    halves the lines that are looked through for its end, and each good row adds one: a file full of them is
    not read a thousand times over.
    """
    csv.field_size_limit(MAX_LINE_BYTES)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.taken.clear()
        try:
            row = next(reader)
            if len(row) == width:
                yield row
                lines.most_lines += lines.most_lines < MAX_RECORD_LINES
                continue
            if not row:
                continue
            broken = BrokenLineError(f"{len(row)} fields where the header has {width}")
        except StopIteration:
            return
        except UnclosedError as error:
            lines.most_lines = max(1, lines.most_lines // 2)
            broken = error
        except BrokenLineError as error:
            broken = error if len(lines.taken) == 1 else BrokenLineError("a quote is not closed")
        except csv.Error as error:
            broken = BrokenLineError(_said(error))
        lines.put_back_all_but_first()
        yield broken


def _said(error: csv.Error) -> str:
    reason = str(error)
    if "unexpected end of data" in reason:
        return "a quote is not closed"
    if "new-line character" in reason:
        return "a carriage return stands inside the line"
    return f"broken CSV: {reason}"


def json_records(lines: Lines, *, unique_keys: bool = False) -> Records:
    """Yield the objects of a JSON Lines file, their fractions as Decimal. Blank lines are passed over.

    Of a key that comes twice in an object the last value counts, or with unique_keys the line is broken.
    """
    pairs = _unique if unique_keys else None
    loads = json.JSONDecoder(
        parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=pairs
    ).decode
    while True:
        lines.taken.clear()
        try:
            text = next(lines)
            if text.isspace():
                continue
            record = loads(text)
            yield record if isinstance(record, dict) else BrokenLineError("the line is not a JSON object")
        except StopIteration:
            return
        except BrokenLineError as error:
            yield error
        except json.JSONDecodeError as error:
            yield BrokenLineError(f"not JSON: {error.msg} at character {error.colno}")
        except RecursionError:
            yield BrokenLineError("not usable JSON: nested too deeply")
        except (ValueError, ArithmeticError) as error:
            yield BrokenLineError(f"not usable JSON: {error}")


def _refuse_constant(word: str) -> None:
    raise BrokenLineError(f"{word} is not a JSON value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise BrokenLineError(f"the key {ascii(twice)[:60]} comes twice")
    return record


def json_getter(name: str) -> Callable[[dict[str, Any]], object]:
    """Return the getter of a key, or of a dotted path into nested objects where there is no such key."""
    path = name.split(".")

    def get(record: dict[str, Any]) -> object:
        if name in record or len(path) == 1:
            return record.get(name)
        found: object = record
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    return get
