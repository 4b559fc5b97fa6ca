"""The proof of reading, the brief and the report, in the form that is promised."""

import re

import pytest

from governance.documents import READ_ORDER
from governance.gate import READ_CHECK
from governance.verbs import readcheck
from tests.governance.clone import Clone
from tests.governance.repository import Repository

FORM = r"""READ CHECK ✅
Files opened: (?P<files>.*) \(required order\)
Current Plan ID: P-001
TODO task ID: T-0003
DOC TARGET: docs/UI_SPEC\.md#figures
Chain head: D-0003 [0-9a-f]{8}"""


def test_the_proof_has_its_exact_form(repository: Repository) -> None:
    answer = readcheck.readcheck(repository.path, "T-0003")
    found = re.fullmatch(FORM, "\n".join(answer.lines))
    assert found
    opened = [word.split("@") for word in found["files"].split(" ")]
    assert tuple(path for path, _ in opened) == READ_ORDER
    assert all(re.fullmatch(r"[0-9a-f]{4}", mark) for _, mark in opened)
    assert answer.code == 0


@pytest.mark.parametrize("path", ["docs/AGENT_BRIEF.md", "docs/TODO.md", "docs/DECISIONS.md", "replit.md"])
def test_a_missing_document_makes_it_fail_with_two(repository: Repository, path: str) -> None:
    (repository.root / path).unlink()
    answer = readcheck.readcheck(repository.path)
    assert (answer.lines, answer.code) == ([READ_CHECK], 2)
    assert answer.findings[0].id == "E001"


def test_an_unknown_task_makes_it_fail(repository: Repository) -> None:
    answer = readcheck.readcheck(repository.path, "T-0999")
    assert answer.code == 2
    assert "there is no task T-0999" in answer.findings[0].message


def test_another_text_gives_another_digest(repository: Repository) -> None:
    before = readcheck.readcheck(repository.path).data["files"]
    repository.write("UI_DEBT.md", "# UI debt\n\nOne.\n")
    after = readcheck.readcheck(repository.path).data["files"]
    assert {path for path in before if before[path] != after[path]} == {"UI_DEBT.md"}


def test_without_a_task_it_names_the_one_that_is_being_done_else_the_next(repository: Repository) -> None:
    assert readcheck.readcheck(repository.path).data["task"] == "T-0002"
    repository.replace(
        "docs/TODO.md",
        "### T-0003 — Show the figures\n- state: todo",
        "### T-0003 — Show the figures\n- state: doing",
    )
    assert readcheck.readcheck(repository.path).data["task"] == "T-0003"


def test_the_brief_tells_what_exists_what_does_not_and_what_comes_next(repository: Repository) -> None:
    answer = readcheck.brief(repository.path)
    text = "\n".join(answer.lines)
    assert text.startswith("READ CHECK ✅\n")
    exists, _, missing = text.partition("Does not exist yet:")
    assert "T-0001 Count what jobs cost" in exists
    assert "T-0002 Import the month's files" in missing
    assert "[ ] A2 batching: 500 rows a commit" in missing
    assert text.endswith(readcheck.FENCE)
    assert [task["id"] for task in answer.data["next"]] == ["T-0002", "T-0003"]


def test_the_brief_of_a_stopped_repository_says_so_first(repository: Repository) -> None:
    repository.decide(kind="stop", title="Costs run away")
    assert "EMERGENCY STOP by D-0004: Costs run away." in "\n".join(readcheck.brief(repository.path).lines)


def test_a_task_whose_needs_are_open_comes_after_those_that_may_start(repository: Repository) -> None:
    repository.replace("docs/TODO.md", "- needs: T-0001\n", "- needs: T-0003\n")
    assert [task["id"] for task in readcheck.brief(repository.path).data["next"]] == ["T-0003", "T-0002"]


def test_the_report_tells_files_documents_tests_and_the_next_task(repository: Repository) -> None:
    answer = readcheck.report(repository.path, "T-0001")
    text = "\n".join(answer.lines)
    assert "Files: app.py\n" in text
    assert "Documents: docs/UI_SPEC.md#routes, D-0001\n" in text
    assert "Tests: tests/test_app.py => pass\n" in text
    assert text.endswith("Next: T-0002 Import the month's files")


def test_on_the_command_line(clone: Clone) -> None:
    done = clone.manage("governance", "readcheck", "--task", "T-0001")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "READ CHECK ✅")
    (clone.root / "UI_DEBT.md").unlink()
    done = clone.manage("governance", "readcheck", "--task", "T-0001")
    assert (done.returncode, done.stdout.splitlines()[0]) == (2, READ_CHECK)
