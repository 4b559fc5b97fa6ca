"""Texts that are too long for a column stay apart."""

from telemetry.fitting import fitted


def test_ids_that_are_too_long_keep_their_beginning() -> None:
    assert fitted("order-17", 40) == "order-17"
    assert fitted("x" * 60, 40).startswith("xxxx")
    assert fitted("x" * 60, 40) != fitted("x" * 61, 40)
