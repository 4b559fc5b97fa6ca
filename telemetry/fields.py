"""The rule of each event column: what it takes, what it refuses, and how the refusal reads."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

INT4_MAX: Final = 2**31 - 1
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW: Final = timedelta(minutes=5)
REQUIRED: Final = object()
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class InvalidEvent(ValueError):  # noqa: N818  (the name the interface promises)
    """An event that breaks a rule: `column` ('' for all of it) and a `reason` that says how to mend it."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A short text key: 1 to `most` characters of any script, no control characters, no space around it.

    `is_key` tells that it names a row elsewhere, whose primary key may be a whole number or a UUID.
    """

    sql_type: ClassVar = "text"
    most: int
    default: object = REQUIRED
    may_be_empty: bool = False
    is_key: bool = False

    def quick_test(self, name: str) -> str:
        """Return an expression that is true only for texts `check` returns unchanged, not for all of them."""
        least = 0 if self.may_be_empty else 1
        plain = f"type({name}) is str and {least} <= len({name}) <= {self.most}"
        plain += f" and ({name}.isalnum() or {name}.isprintable() and {name}.strip() == {name})"
        return f"({name} is None or {plain})" if self.default is None else f"({plain})"

    def check(self, name: str, value: object, now: datetime) -> str:
        """Return the text, of a key that is a whole number or a UUID as well; raises InvalidEvent."""
        if self.is_key:
            value = key_text(value, self.most)
        if not isinstance(value, str):
            raise InvalidEvent(name, f"{name} is {kind_of(value)}, give it as text")
        text = str.__str__(value)
        if not text and not self.may_be_empty:
            raise InvalidEvent(name, f"{name} is empty, give 1 to {self.most} characters")
        if len(text) > self.most:
            raise InvalidEvent(name, f"{name} is {len(text)} characters long, the most is {self.most}")
        if control := CONTROL.search(text):
            code, place = f"U+{ord(control[0]):04X}", control.start() + 1
            raise InvalidEvent(name, f"{name} holds the control character {code} at place {place}, remove it")
        if text != text.strip():
            raise InvalidEvent(name, f"{name} begins or ends with white space, remove it")
        return text


def key_text(value: object, most: int) -> object:
    """Return a whole number or a UUID as text, and anything else as it is."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        # Python refuses to write out a number of thousands of digits; this much of one is too long as well.
        return int.__repr__(max(-(10**most), min(value, 10**most)))
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number of `least` to `most`. A float such as 12.0 passes; true and false do not."""

    most: int
    least: int = 0
    default: object = REQUIRED
    sql_type: str = "int8"

    def quick_test(self, name: str) -> str:
        """Return an expression that is true only for numbers `check` returns unchanged."""
        plain = f"type({name}) is int and {self.least} <= {name} <= {self.most}"
        return f"({name} is None or {plain})" if self.default is None else plain

    def check(self, name: str, value: object, now: datetime) -> int:
        """Return the number as an int; raises InvalidEvent."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidEvent(name, f"{name} is {kind_of(value)}, give a whole number")
        if isinstance(value, int):
            number = int.__index__(value)
        elif float.is_integer(value):
            number = int(float.__float__(value))
        else:
            raise InvalidEvent(name, f"{name} is {float.__repr__(value)}, give a whole number")
        if number < self.least:
            raise InvalidEvent(name, f"{name} is {short(number)}, the least is {self.least}")
        if number > self.most:
            raise InvalidEvent(name, f"{name} is {short(number)}, the most is {self.most}")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """True or false, as a bool; words and numbers are for the caller to read."""

    sql_type: ClassVar = "bool"
    default: object = REQUIRED

    def quick_test(self, name: str) -> str:
        """Return an expression that is true only for a bool."""
        return f"type({name}) is bool"

    def check(self, name: str, value: object, now: datetime) -> bool:
        """Return the flag; raises InvalidEvent."""
        if not isinstance(value, bool):
            raise InvalidEvent(name, f"{name} is {kind_of(value)}, give true or false")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A moment that names its time zone, from 2000 on, at most 5 minutes ahead of `now`; returned in UTC."""

    sql_type: ClassVar = "timestamptz"
    default: object = REQUIRED

    def quick_test(self, name: str) -> str:
        """Return an expression that is true only for plain UTC datetimes in the past."""
        plain = f"type({name}) is datetime and {name}.tzinfo is UTC and EARLIEST <= {name} <= now"
        return f"({name} is None or {plain})" if self.default is None else plain

    def check(self, name: str, value: object, now: datetime) -> datetime:
        """Return the moment in UTC; raises InvalidEvent."""
        if not isinstance(value, datetime):
            raise InvalidEvent(
                name,
                f"{name} is {kind_of(value)}, give a date and time with a time zone",
            )
        try:
            offset = value.utcoffset()
            moment = datetime.combine(value.date(), value.time(), UTC) - (offset or timedelta())
        except Exception as error:
            raise InvalidEvent(
                name, f"{name} cannot be read as a time in UTC, the earliest is 2000"
            ) from error
        if offset is None:
            raise InvalidEvent(name, f"{name} names no time zone, give one (Z for UTC)")
        if moment < EARLIEST:
            raise InvalidEvent(
                name,
                f"{name} is {moment:%Y-%m-%dT%H:%M:%SZ}, the earliest is 2000-01-01",
            )
        if moment > now + CLOCK_SKEW:
            raise InvalidEvent(
                name,
                f"{name} is a future time ({moment:%Y-%m-%dT%H:%M:%SZ}), check the clock or zone",
            )
        return moment


type_words = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    bytes: "bytes",
}
Field = Text | Whole | Flag | Instant


def kind_of(value: object) -> str:
    """Return what a value is, in words for a message, without trusting its own repr."""
    if value is None:
        return "missing"
    return type_words.get(type(value), f"of type {type(value).__name__}"[:60])


def short(number: int) -> str:
    """Return a number that may have thousands of digits in a length fit for a message."""
    digits = number.bit_length() * 0.30103
    return str(number) if digits < 25 else f"about {'-' if number < 0 else ''}10^{digits:.0f}"
