"""The table of `./run a11y`: how much was found where, what was not tried, and all of it below."""

from tests import a11y

FOUND = {"axe": ["button-name: <button>"], "overflow": [], "targets": ["a x: 9 × 9 px", "a y: 9 × 9 px"]}
LINES = [{"page": "cost: ready", "look": "390 dark", "found": FOUND}]


def test_a_line_counts_what_was_found_and_marks_what_was_not_tried() -> None:
    assert [a11y.counted(FOUND, kind) for kind in ("axe", "overflow", "targets", "no script")] == [
        "1", "0", "2", "·",
    ]  # fmt: skip


def test_everything_that_was_found_is_written_out_with_its_place() -> None:
    shown = a11y.table(LINES)
    assert "✕ cost: ready, 390 dark, axe: button-name: <button>" in shown
    assert shown.count("✕") == 3


def test_a_table_without_looks_is_only_its_head() -> None:
    assert a11y.table([]).splitlines()[0].startswith("page")
