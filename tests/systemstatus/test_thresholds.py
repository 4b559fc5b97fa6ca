"""The table of budgets: one in code, the same in the documents."""

from pathlib import Path

from systemstatus.thresholds import BY_ID, THRESHOLDS, as_table, budgets

UI_SPEC = Path(__file__).resolve().parents[2] / "docs" / "UI_SPEC.md"


def written_rows() -> list[tuple[str, ...]]:
    """Return the rows of the documented table."""
    part = UI_SPEC.read_text().partition("| id | metric | unit | warning | critical | window |")[2]
    lines = part.partition("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def test_the_documents_say_what_the_code_holds_to() -> None:
    assert written_rows() == list(as_table())
    assert len(BY_ID) == len(THRESHOLDS) == 45


def test_critical_is_never_milder_than_warning_and_clear_never_beyond_the_limit() -> None:
    for row in THRESHOLDS:
        for warning, critical in [(row.warning, row.critical), *row.by_target.values()]:
            assert critical <= warning if row.below else critical >= warning, row.id
        if row.warning_clear is not None and row.critical_clear is not None:
            assert (row.warning_clear < row.warning) != row.below
            assert (row.critical_clear < row.critical) != row.below


def test_limits_are_those_of_the_target_where_it_has_its_own() -> None:
    assert BY_ID["integration.p95"].limits("openai") == (10_000, 30_000)
    assert BY_ID["integration.p95"].limits("brevo") == (1000, 3000)


def test_each_limit_has_a_name_that_a_decision_can_set() -> None:
    assert budgets()["db.xid_age.critical"] == "1,500,000,000"
    assert len(budgets()) == 2 * len(THRESHOLDS)
