"""Tables of one cursor page: columns that say what matters on a narrow screen, rows of cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

ASCENDING, DESCENDING = "ascending", "descending"
NAME, MAIN, SECOND, PLAIN, LESSER = "name", "main", "second", "plain", "lesser"


@dataclass(frozen=True)
class Column:
    """One column. Its role says where it goes on a narrow screen.

    name heads the row and stays in sight, main stands beside it, second below it, plain becomes a line of its
    own, and lesser moves into the row's details.

    Attributes:
        sort_url: where a click on its head leads; empty where the table cannot be sorted by it.
        direction: ascending or descending where the table is sorted by it now.
    """

    label: str
    role: str = PLAIN
    numeric: bool = False
    sort_url: str = ""
    direction: str = ""
    label_is_hidden: bool = False

    @property
    def sort_icon(self) -> str:
        return {ASCENDING: "i-sortup", DESCENDING: "i-sortdown"}.get(self.direction, "i-sort")


@dataclass(frozen=True)
class Row:
    """One row: a cell for each column, as text or as safe HTML, and where its name leads."""

    cells: Sequence[object]
    url: str = ""
    key: str = ""


@dataclass(frozen=True)
class Table:
    """One page of a table.

    Attributes:
        caption: what the table holds, in which unit and order; read out, not shown.
        previous_url, next_url: the neighbouring pages; empty where the list ends.
        range_text: which rows of how many these are, such as '51-100 of 312'.
    """

    id: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row] = field(default_factory=list)
    previous_url: str = ""
    next_url: str = ""
    range_text: str = ""

    @property
    def lines(self) -> Iterator[tuple[Row, list[tuple[Column, object]]]]:
        """Yield each row with its cells beside their columns."""
        for row in self.rows:
            yield row, list(zip(self.columns, row.cells, strict=True))

    @property
    def has_lesser(self) -> bool:
        return any(column.role == LESSER for column in self.columns)

    @property
    def has_pages(self) -> bool:
        return bool(self.previous_url or self.next_url)
