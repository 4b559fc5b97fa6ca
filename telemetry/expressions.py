"""What stands right of the = in a --map: exact arithmetic over columns, built once into one function."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, DecimalException
from typing import Any, Literal

from telemetry import values
from telemetry.values import EXACT, BadValueError

Kind = Literal["column", "number", "instant", "boolean"]
Getter = Callable[[Any], object]
Columns = Callable[[str], Getter]
Number = Callable[[Any], Decimal | None]

PLAIN_NAME = re.compile(r"[^\W\d][\w.]*")


@dataclass(frozen=True)
class Expression:
    """One expression: its canonical text, what it gives, the columns it reads, and how deep it is nested."""

    source: str
    kind: Kind
    columns: tuple[str, ...]
    depth: int
    build: Callable[[Columns], Getter]

    def compile(self, columns: Columns) -> Getter:
        """Return the function of one row that gives this value, None where a column it needs is empty.

        `columns` gives the getter of a column by its name. The function raises BadValueError.
        """
        evaluate = self.build(columns)
        if self.kind == "column":
            return evaluate

        def exact(row: Any) -> object:
            try:
                return evaluate(row)
            except DecimalException:
                raise BadValueError(f"is {self.source}, which has too many digits to be exact") from None

        return exact


def column(name: str) -> Expression:
    """Return the expression that is one column as it stands."""
    source = name if PLAIN_NAME.fullmatch(name) else '"' + name.replace('"', '""') + '"'
    return Expression(source, "column", (name,), 1, lambda columns: columns(name))


def literal(text: str) -> Expression:
    """Return the expression that is one number. Raises BadValueError."""
    number = values.number(text)
    return Expression(text, "number", (), 1, lambda columns: lambda row: number)


def negated(inner: Expression) -> Expression:
    """Return minus an expression."""
    return _operation(f"-{inner.source}", EXACT.subtract, literal("0"), inner)


def operation(sign: str, left: Expression, right: Expression) -> Expression:
    """Return the sum, difference or product of two expressions that give numbers."""
    return _operation(f"({left.source}{sign}{right.source})", OPERATIONS[sign], left, right)


def call(name: str, inner: Expression) -> Expression:
    """Return one of FUNCTIONS over an expression that gives a number."""
    kind, function = FUNCTIONS[name]

    def build(columns: Columns) -> Getter:
        value = _number_of(inner, columns)
        return lambda row: None if (x := value(row)) is None else function(x)

    # Only a sum or product begins with a parenthesis, and then it is around the whole of it.
    argument = inner.source[1:-1] if inner.source.startswith("(") else inner.source
    return Expression(f"{name}({argument})", kind, inner.columns, inner.depth + 1, build)


def membership(subject: Expression, wanted: list[str | Decimal]) -> Expression:
    """Return the expression that is true where a column has one of the values; 1 and 1.0 are the same."""
    texts = {value for value in wanted if isinstance(value, str)}
    numbers = {value for value in wanted if isinstance(value, Decimal)}

    def build(columns: Columns) -> Getter:
        value = columns(subject.columns[0])

        def evaluate(row: Any) -> bool:
            found = value(row)
            return (values.text(found) or "") in texts or (bool(numbers) and _is_one_of(found, numbers))

        return evaluate

    listed = ",".join(map(_constant_source, wanted))
    return Expression(f"is({subject.source},{listed})", "boolean", subject.columns, 1, build)


def _operation(
    source: str, operate: Callable[[Decimal, Decimal], Decimal], left: Expression, right: Expression
) -> Expression:
    def build(columns: Columns) -> Getter:
        first, second = _number_of(left, columns), _number_of(right, columns)

        def evaluate(row: Any) -> Decimal | None:
            a, b = first(row), second(row)
            return None if a is None or b is None else operate(a, b)

        return evaluate

    depth = 1 + max(left.depth, right.depth)
    return Expression(source, "number", (*left.columns, *right.columns), depth, build)


def _number_of(operand: Expression, columns: Columns) -> Number:
    """Return the function that gives an operand's number; a column's text is read as one."""
    value = operand.build(columns)

    def read(row: Any) -> Decimal | None:
        try:
            return values.number(value(row))
        except BadValueError as error:
            raise BadValueError(f"is made of {operand.source}, which {error}") from None

    return value if operand.kind == "number" else read  # type: ignore[return-value] # the kinds were checked above


def _is_one_of(found: object, numbers: set[Decimal]) -> bool:
    try:
        return values.number(found) in numbers
    except BadValueError:
        return False


def _constant_source(value: str | Decimal) -> str:
    return str(value) if isinstance(value, Decimal) else "'" + value.replace("'", "''") + "'"


def _milliseconds(x: Decimal) -> Decimal:
    return x.to_integral_value(ROUND_HALF_EVEN)


def _seconds(x: Decimal) -> Decimal:
    return _milliseconds(EXACT.multiply(x, Decimal(1000)))


OPERATIONS = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply}
FUNCTIONS: dict[str, tuple[Kind, Callable[[Decimal], object]]] = {
    "unix": ("instant", values.unix_instant),
    "s": ("number", _seconds),
    "ms": ("number", _milliseconds),
}
