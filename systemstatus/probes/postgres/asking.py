"""Runs a question over the probe's own connection; shows statements without what was written in them."""

import re
from typing import Any, Final

from django.db import connection

SHOWN: Final = 400
# Quoted texts (doubled quotes, backslashes inside), dollar quotes, numbers that are no part of a name.
LITERALS: Final = re.compile(
    r"[eE]?'(?:[^'\\]|''|\\.)*'?|\$(\w*)\$.*?(?:\$\1\$|$)|(?<![\w$.])\d+(?:\.\d+)?\b", re.DOTALL
)


def rows(sql: str, values: Any = None) -> list[dict[str, Any]]:
    """Run a statement and return its rows by column name."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def shown(statement: str | None) -> str:
    """Return a statement on one line, its literals replaced: they may be secrets or people's names."""
    plain = LITERALS.sub("?", (statement or "")[: 4 * SHOWN])
    return " ".join(plain.split())[:SHOWN]
