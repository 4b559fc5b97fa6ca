"""Reads what a file says: numbers, whole numbers, booleans, texts and times, each refused with its reason."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from zoneinfo import ZoneInfo

TRUE_WORDS = frozenset({"1", "true", "yes"})
FALSE_WORDS = frozenset({"0", "false", "no"})
NUMERAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
MOMENT = re.compile(
    r"(?a:\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)( ?Z|(?a:[+-]\d\d(?::?\d\d)?))?", re.IGNORECASE
)
VALUE_IN_REASON = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[-+]?[0-9][\w.,:+-]*""")
LONGEST_NUMERAL = 60
LONGEST_WHOLE = 25
LARGEST = 10**LONGEST_NUMERAL
# Every operation is exact or it fails: 100 digits hold any product of two numbers that a file may contain.
EXACT = Context(prec=100, traps=[InvalidOperation, Overflow, Inexact])
MILLION = Decimal(1_000_000)
CALENDAR_S = 62_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadValueError(ValueError):
    """A value that cannot be read as what its column needs; the text goes on where the column's name ends."""


def shown(value: object) -> str:
    """Return a value as it may stand in a reason: quoted, escaped and short."""
    if isinstance(value, Decimal):
        text = str(value)
    else:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def text(value: object) -> str | None:
    """Return a text as it stands, None where it is empty; numbers and booleans of JSON as written there."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    raise BadValueError(f"is {'a list' if isinstance(value, list) else 'an object'}, give it as text")


def number(value: object) -> Decimal | None:
    """Return a number exactly, None where it is empty.

    A number is written in the digits 0-9 with an optional sign, point and exponent of up to three digits, so
    that '1e3' is 1000 while '1,000', '١٢', 'NaN' and '1e999999999' are refused. Raises BadValueError.
    """
    if value is None or value == "":
        return None
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        if not -LARGEST < value < LARGEST:
            raise BadValueError("is too large a number")
        value = str(value)
    if isinstance(value, str):
        written = value.strip()
        if len(written) <= LONGEST_NUMERAL and NUMERAL.fullmatch(written):
            return Decimal(written)
    raise BadValueError(f"is {shown(value)}, not a number")


def whole(value: object) -> int | None:
    """Return a whole number, None where it is empty; '12.0' and '1e3' are whole, '12.5' is refused."""
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) <= LONGEST_WHOLE:
        return int(value)
    if type(value) is int and -LARGEST < value < LARGEST:
        return value
    exact = number(value)
    if exact is None:
        return None
    if exact and exact.adjusted() >= LONGEST_WHOLE:
        raise BadValueError(f"is {shown(value)}, too large")
    if exact != exact.to_integral_value():
        raise BadValueError(f"is {shown(value)}, not a whole number")
    return int(exact)


def boolean(value: object) -> bool | None:
    """Return a boolean written as 1/0, true/false or yes/no in any case, None where it is empty."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else None
    if value is None or word == "":
        return None
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return word in TRUE_WORDS
    raise BadValueError(f"is {shown(value)}, give 1/0, true/false or yes/no")


def unix_instant(seconds: Decimal) -> datetime:
    """Return the UTC instant so many seconds after 1970; what is finer than a microsecond is cut off."""
    if not -CALENDAR_S < seconds < CALENDAR_S:
        raise BadValueError("is beyond the calendar")
    return EPOCH + timedelta(microseconds=int(EXACT.multiply(seconds, MILLION)))


def instant_reader(zone: ZoneInfo | None) -> Callable[[object], datetime | None]:
    """Return the reader of ISO 8601 times; those without an offset are local times of `zone`, or refused.

    More than six digits of a fraction are cut off. A local time that a clock change leaves out is refused; of
    one that comes twice the first is taken. The reader returns None for an empty value.
    """

    def read(value: object) -> datetime | None:
        if value is None or value == "":
            return None
        written = value.strip() if isinstance(value, str) else None
        if written is None or not (matched := MOMENT.fullmatch(written)):
            raise BadValueError(f"is {shown(value)}, not an ISO 8601 time{_mend(value)}")
        try:
            moment = datetime.fromisoformat(written.replace(" Z", "Z").upper().replace(",", "."))
        except ValueError:
            raise BadValueError(f"is {shown(value)}, a time that does not exist") from None
        if matched[1]:
            return _to_utc(moment, value)
        if zone is None:
            raise BadValueError(
                f"is {shown(value)}, without a time zone: state it with --timezone, such as --timezone UTC"
            )
        return _local_instant(moment, zone, value)

    return read


def _mend(value: object) -> str:
    digits = str(value).strip().replace(".", "", 1)
    return ": for seconds since 1970 write unix(column)" if digits.isascii() and digits.isdigit() else ""


def _to_utc(moment: datetime, value: object) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise BadValueError(f"is {shown(value)}, beyond the calendar") from None


def _local_instant(moment: datetime, zone: ZoneInfo, value: object) -> datetime:
    if zone.key == "UTC":
        return moment.replace(tzinfo=UTC)
    found = _to_utc(moment.replace(tzinfo=zone), value)
    if found.astimezone(zone).replace(tzinfo=None) != moment:
        raise BadValueError(
            f"is {shown(value)}, which does not exist in {zone.key}: the clocks were put forward over it"
        )
    return found


def generic(reason: str) -> str:
    """Return a reason without the values in it, so that equal ones can be counted together."""
    return VALUE_IN_REASON.sub("…", reason)
