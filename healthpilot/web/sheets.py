"""Tables as CSV files that a spreadsheet opens safely: units in the heads, no text that runs as a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice

from django.http import HttpResponse

from healthpilot.web import numbers

# What makes a spreadsheet take a cell for a formula, the full-width forms among it (OWASP, CSV injection).
SIGNS = "=+-@＝＋－＠"
FORMULA = (*SIGNS, "\t", "\r", "\n")
# Where the comma is the decimal point a spreadsheet splits lines at semicolons, and what is pasted at tabs;
# quotes in the middle of a line do not hold it back, so what follows is a cell of its own.
LATER_FORMULA = re.compile(f"(?<=[;\t\r\n])(?= *[{re.escape(SIGNS)}])")
# Spreadsheets take a file for UTF-8 only when it begins so.
BYTE_ORDER_MARK = "\ufeff"
CHUNK_ROWS = 1000

Cell = str | int | Decimal | date | datetime | bool | None


@dataclass(frozen=True)
class Sheet:
    """One table: its file's name without ending, heads with units, and rows."""

    name: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def written(cell: Cell) -> str:
    """Return a cell's text: numbers with every digit, times in UTC, foreign text made harmless."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Decimal):
        return numbers.plain(cell)
    if isinstance(cell, datetime):
        return cell.isoformat().replace("+00:00", "Z")
    return harmless(cell) if isinstance(cell, str) else str(cell)


def harmless(text: str) -> str:
    """Return a text with an apostrophe before it, or within, where a spreadsheet would calculate it."""
    later = LATER_FORMULA.sub("'", text)
    return f"'{later}" if text.lstrip(" ").startswith(FORMULA) else later


def lines(sheet: Sheet) -> Iterator[str]:
    """Yield the lines of a sheet as CSV (RFC 4180)."""
    for row in chain([sheet.heads], sheet.rows):
        line = io.StringIO()
        csv.writer(line).writerow([written(cell) for cell in row])
        yield line.getvalue()


def chunks(sheet: Sheet) -> Iterator[str]:
    """Yield a file in pieces large enough for a network, for sheets that never lie in memory whole."""
    yield BYTE_ORDER_MARK
    written_lines = lines(sheet)
    while chunk := "".join(islice(written_lines, CHUNK_ROWS)):
        yield chunk


def answer(sheet: Sheet) -> HttpResponse:
    """Return a sheet as a file to keep; for tables as large as a page, which are whole in memory anyhow."""
    response = HttpResponse(BYTE_ORDER_MARK + "".join(lines(sheet)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{sheet.name}.csv"'
    return response
