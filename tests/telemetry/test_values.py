"""Reading the values of a file."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from telemetry import values
from telemetry.values import BadValueError, instant_reader


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("12", 12),
        ("0012", 12),
        ("12.0", 12),
        ("1e3", 1000),
        (" 7 ", 7),
        ("-3", -3),
        ("+4", 4),
        (9, 9),
        (Decimal("2.0"), 2),
    ],
)
def test_whole_numbers_are_read_by_their_value(written: object, number: int) -> None:
    assert values.whole(written) == number


@pytest.mark.parametrize(
    "written",
    [
        "12.5",
        "1,000",
        "١٢",
        "²",
        "1e999999999",
        "1e30",
        "9" * 40,
        "NaN",
        "inf",
        "0x1f",
        "1_0",
        "a",
        True,
        [],
        {},
        "1\x00",
        Decimal("1e9999999999"),
        Decimal("1e-9999999999"),
        10**70,
    ],
)
def test_what_is_not_a_plain_whole_number_is_refused(written: object) -> None:
    with pytest.raises(BadValueError):
        values.whole(written)


@pytest.mark.parametrize(
    "read", [values.whole, values.number, values.boolean, values.text, instant_reader(None)]
)
def test_an_empty_value_is_absent(read) -> None:  # type: ignore[no-untyped-def] # readers of several types
    assert read("") is None
    assert read(None) is None


def test_booleans_are_read_in_six_words() -> None:
    assert [values.boolean(word) for word in ("1", "TRUE", "yes", True, 1)] == [True] * 5
    assert [values.boolean(word) for word in ("0", "False", "no", False, 0)] == [False] * 5
    others: list[object] = ["2", "ok", "t", [], Decimal(1)]
    for word in others:
        with pytest.raises(BadValueError, match="give 1/0, true/false or yes/no"):
            values.boolean(word)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024-02-27T11:37:16Z", datetime(2024, 2, 27, 11, 37, 16, tzinfo=UTC)),
        ("2024-02-27 11:37:16.5+05:30", datetime(2024, 2, 27, 6, 7, 16, 500000, tzinfo=UTC)),
        ("2024-02-27t11:37z", datetime(2024, 2, 27, 11, 37, tzinfo=UTC)),
        ("2023-11-16 18:15:46.6805909 Z", datetime(2023, 11, 16, 18, 15, 46, 680590, tzinfo=UTC)),
        ("2024-02-27T11:37:16,25-0800", datetime(2024, 2, 27, 19, 37, 16, 250000, tzinfo=UTC)),
    ],
)
def test_times_with_an_offset_need_no_zone(written: str, moment: datetime) -> None:
    assert instant_reader(None)(written) == moment


def test_a_time_without_an_offset_is_refused_with_the_way_to_mend_it() -> None:
    with pytest.raises(BadValueError, match="without a time zone: state it with --timezone"):
        instant_reader(None)("2023-11-16 18:15:46.6805900")


def test_a_time_without_an_offset_is_local_in_the_zone_stated() -> None:
    read = instant_reader(ZoneInfo("Asia/Kolkata"))
    assert read("2023-11-16 18:15:46.6805909") == datetime(2023, 11, 16, 12, 45, 46, 680590, tzinfo=UTC)
    assert read("2023-11-16 18:15:46Z") == datetime(2023, 11, 16, 18, 15, 46, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Europe/Prague", "2024-03-31 02:30:00"),
        ("America/New_York", "2024-03-10 02:00"),
        ("Australia/Lord_Howe", "2024-10-06 02:15"),
    ],
)
def test_a_local_time_that_the_clock_change_leaves_out_is_refused(zone: str, written: str) -> None:
    with pytest.raises(BadValueError, match="does not exist in"):
        instant_reader(ZoneInfo(zone))(written)


def test_of_a_local_time_that_comes_twice_the_first_is_taken() -> None:
    read = instant_reader(ZoneInfo("Europe/Prague"))
    assert read("2024-10-27 02:30:00") == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert read("2024-10-27 03:30:00") == datetime(2024, 10, 27, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2024-02-30 10:00Z",
        "2024-02-28 25:00Z",
        "2024-02-28 10:00:60Z",
        "0001-01-01 00:00+10:00",
        "9999-12-31T23:59-10:00",
    ],
)
def test_times_that_do_not_exist_are_refused(written: str) -> None:
    with pytest.raises(BadValueError):
        instant_reader(None)(written)


@pytest.mark.parametrize(
    "written",
    ["2024-02-28", "20240228T100000Z", "28.2.2024 10:00", "yesterday", 1700000000, "٢٠٢٤-02-28T10:00Z"],
)
def test_other_ways_to_write_a_time_are_refused(written: object) -> None:
    with pytest.raises(BadValueError, match="not an ISO 8601 time"):
        instant_reader(ZoneInfo("UTC"))(written)


def test_a_bare_number_for_a_time_points_to_unix() -> None:
    with pytest.raises(BadValueError, match=r"write unix\(column\)"):
        instant_reader(None)("1356996147.5")


def test_a_value_in_a_reason_is_short_and_printable() -> None:
    assert values.shown("a\x00b") == "'a\\x00b'"
    assert len(values.shown("x" * 1000)) <= 60


def test_reasons_that_differ_only_in_values_are_the_same_in_general() -> None:
    first, second = "a is 'x y', the most is 40", "a is 'it\\'s', the most is 41"
    assert values.generic(first) == values.generic(second)


def test_a_number_is_shown_as_it_was_written() -> None:
    with pytest.raises(values.BadValueError, match=r"^is 1\.5, not a whole number$"):
        values.whole(Decimal("1.5"))
