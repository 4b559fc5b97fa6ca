"""The language of --map and --set: which columns of a file fill which column of an event."""

import re
from dataclasses import dataclass
from decimal import Decimal

from telemetry import expressions, values
from telemetry.expressions import FUNCTIONS, Expression
from telemetry.values import BadValueError

__all__ = ["LANGUAGE", "Expression", "MappingError", "parse_map", "parse_set"]

LANGUAGE = """\
--map "target=expression,…" says where each value comes from:
  column             a column of the file; "quoted" where its name has spaces or signs, "" for a quote in it
  usage.input        in JSON Lines also a path into nested objects
  + - *  ( )  1.5    exact decimal arithmetic over columns and numbers (− and × are understood as well)
  unix(x)            seconds since 1970, fractions included, as a time in UTC
  s(x)  ms(x)        seconds or milliseconds as whole milliseconds, half a millisecond to the even one
  is(column,1,'ok')  true where the column has one of these values, else false
--set "target=value,…" gives every row the same value; one that holds a comma is quoted: "a,b".
An empty field is an absent value. Numbers are written with the digits 0-9; 12.0 and 1e3 are whole, 12.5 is
not. Booleans are 1/0, true/false, yes/no. Times are ISO 8601; those without an offset need --timezone,
fractions finer than a microsecond are cut off, a local time that a clock change leaves out is refused, and of
one that comes twice the first is taken."""

MAX_LENGTH = 10_000
MAX_DEPTH = 50
TOKEN = re.compile(
    r"""\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d][\w.]*)"""
    r"""|(?P<column>"(?:[^"]|"")*")|(?P<text>'(?:[^']|'')*')|(?P<sign>[=,()+\-−*×]))"""
)
FIXED = re.compile(
    r"""\s*(?P<target>\w+)\s*=\s*(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[^,"][^,]*)?)\s*(?:,|$)"""
)


class MappingError(ValueError):
    """A --map or --set that cannot be understood; the text says what and where."""


@dataclass(frozen=True)
class Token:
    """A word or sign of a --map, and the place where it stands, counted from 1."""

    kind: str
    text: str
    position: int


def parse_map(text: str) -> dict[str, Expression]:
    """Return the expressions of a --map by target. Raises MappingError with the position, counted from 1."""
    return Parser("--map", text).assignments()


def parse_set(text: str) -> dict[str, str]:
    """Return the fixed values of a --set by target. Raises MappingError with the position, counted from 1."""
    _refuse_length("--set", text)
    fixed: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        found = FIXED.match(text, at)
        if not found:
            raise MappingError(f'--set, position {at + 1}: write target=value, a value with a comma as "a,b"')
        if found["target"] in fixed:
            raise MappingError(f"--set, position {at + 1}: {found['target']} is given twice")
        quoted = found["quoted"]
        value = (found["plain"] or "").strip() if quoted is None else quoted.replace('""', '"')
        fixed[found["target"]] = value
        at = found.end()
    return fixed


def tokens_of(option: str, text: str) -> list[Token]:
    """Return the tokens of a text, closed by one of kind 'end'."""
    _refuse_length(option, text)
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at)
        if not found or not found.lastgroup:
            start = end - len(text[at:end].lstrip())
            raise MappingError(f"{option}, position {start + 1}: {_unexpected(text[start])}")
        tokens.append(Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup) + 1))
        at = found.end()
    return [*tokens, Token("end", "the end", end + 1)]


def _refuse_length(option: str, text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise MappingError(f"{option} is {len(text):,} characters long; at most {MAX_LENGTH:,} are read")


def _unexpected(sign: str) -> str:
    if sign in "\"'":
        return f"the quote {sign} is never closed"
    if sign in "/÷%":
        return "there is no division, which is not exact: multiply, for example by 0.001"
    return f"{sign!r} is not understood here"


class Parser:
    """Reads `target=expression,…` by recursive descent, no deeper than MAX_DEPTH."""

    def __init__(self, option: str, text: str) -> None:
        self.option = option
        self.tokens = tokens_of(option, text)
        self.at = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.next
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def taken(self, *signs: str) -> Token | None:
        return self.take() if self.next.kind == "sign" and self.next.text in signs else None

    def need(self, sign: str) -> None:
        if not self.taken(sign):
            raise self.error(self.next, f"expected {sign!r}, found {self.next.text}")

    def error(self, token: Token, reason: str) -> MappingError:
        return MappingError(f"{self.option}, position {token.position}: {reason}")

    def assignments(self) -> dict[str, Expression]:
        found: dict[str, Expression] = {}
        while self.next.kind != "end":
            target = self.take()
            if target.kind != "name":
                raise self.error(target, f"expected the target column's name, found {target.text}")
            if target.text in found:
                raise self.error(target, f"{target.text} is given twice")
            self.need("=")
            found[target.text] = self.sum(0)
            if self.next.kind != "end":
                self.need(",")
        return found

    def sum(self, level: int) -> Expression:
        left = self.product(level)
        while sign := self.taken("+", "-", "−"):
            left = self.operation(sign, "+" if sign.text == "+" else "-", left, self.product(level))
        return left

    def product(self, level: int) -> Expression:
        left = self.signed(level)
        while sign := self.taken("*", "×"):
            left = self.operation(sign, "*", left, self.signed(level))
        return left

    def operation(self, token: Token, sign: str, left: Expression, right: Expression) -> Expression:
        return self.bounded(
            token, expressions.operation(sign, self.numeric(token, left), self.numeric(token, right))
        )

    def signed(self, level: int) -> Expression:
        sign = self.taken("-", "−")
        if not sign:
            return self.single(level)
        inner = self.signed(self.deeper(level, sign))
        return self.bounded(sign, expressions.negated(self.numeric(sign, inner)))

    def single(self, level: int) -> Expression:
        token = self.take()
        if token.kind == "number":
            return self.literal(token)
        if token.kind == "name" and self.taken("("):
            return self.call(token, level)
        if token.kind in ("name", "column"):
            return self.column(token)
        if token.kind == "sign" and token.text == "(":
            inner = self.sum(self.deeper(level, token))
            self.need(")")
            return inner
        if token.kind == "text":
            raise self.error(token, "a text stands only in is(…); a value for every row goes into --set")
        raise self.error(token, f"expected a column, a number or '(', found {token.text}")

    def literal(self, token: Token) -> Expression:
        try:
            return expressions.literal(token.text)
        except BadValueError:
            raise self.error(token, f"{values.shown(token.text)} is too long or too large a number") from None

    def column(self, token: Token) -> Expression:
        name = token.text if token.kind == "name" else token.text[1:-1].replace('""', '"')
        return expressions.column(name)

    def call(self, name: Token, level: int) -> Expression:
        if name.text == "is":
            return self.membership()
        if name.text not in FUNCTIONS:
            raise self.error(
                name, f"there is no {name.text}(), only unix(x), s(x), ms(x) and is(column,value)"
            )
        inner = self.numeric(name, self.sum(self.deeper(level, name)))
        self.need(")")
        return self.bounded(name, expressions.call(name.text, inner))

    def membership(self) -> Expression:
        subject = self.take()
        if subject.kind not in ("name", "column"):
            raise self.error(subject, "is() begins with a column: is(status,1)")
        self.need(",")
        wanted = [self.constant()]
        while self.taken(","):
            wanted.append(self.constant())
        self.need(")")
        return expressions.membership(self.column(subject), wanted)

    def constant(self) -> str | Decimal:
        negative = self.taken("-", "−")
        token = self.take()
        if token.kind == "number":
            number = Decimal(self.literal(token).source)
            return number.copy_negate() if negative else number
        if token.kind == "text" and not negative:
            return token.text[1:-1].replace("''", "'")
        raise self.error(
            token, f"expected a number or a text in single quotes such as 'ok', found {token.text}"
        )

    def deeper(self, level: int, token: Token) -> int:
        if level >= MAX_DEPTH:
            raise self.error(token, f"nested deeper than {MAX_DEPTH}")
        return level + 1

    def numeric(self, token: Token, operand: Expression) -> Expression:
        if operand.kind in ("column", "number"):
            return operand
        given = "a time" if operand.kind == "instant" else "true or false"
        raise self.error(token, f"{operand.source} gives {given}, which {token.text!r} cannot work with")

    def bounded(self, token: Token, expression: Expression) -> Expression:
        if expression.depth > 2 * MAX_DEPTH:
            raise self.error(token, f"more than {2 * MAX_DEPTH} operations in one expression")
        return expression
