"""Changing docs/TODO.md by verbs: what is written is in the grammar, what would break a rule is refused."""

import pytest

from governance import rules
from governance.documents import DECISIONS, TODO
from governance.reading import Reading
from governance.rules import titles
from governance.verbs import tasks
from governance.writing import Refused
from tests.governance.repository import TASKS, Repository

TARGET = {"doc-target": "docs/UI_SPEC.md#routes"}


def refused(repository: Repository) -> list[str]:
    """Return the ids that the last refusal carried; nothing was written."""
    assert repository.text(TODO) == TASKS
    return repository.ids()


def test_a_new_task_gets_the_next_id_the_current_plan_and_a_check(repository: Repository) -> None:
    tasks.add(repository.path, "Send a weekly summary", TARGET, ["test: the mail holds the sums"])
    assert repository.ids() == []
    assert repository.text(TODO).startswith(TASKS.rstrip("\n"))
    assert repository.text(TODO).endswith("""
### T-0004 — Send a weekly summary
- state: todo
- plan: P-001
- type: code
- needs: none
- doc-target: docs/UI_SPEC.md#routes
- accept:
  - [ ] A1 check: exit 0
  - [ ] A2 test: the mail holds the sums
- pre-verified: none
""")


@pytest.mark.parametrize(
    "title", ["Show the figures", "show figure", "The figures: show!", "Show the figurs"]
)
def test_nearly_the_same_title_is_refused_and_sent_to_the_task_there_is(
    repository: Repository, title: str
) -> None:
    with pytest.raises(Refused, match=r"E012 docs/TODO.md:38: .*task extend T-0003"):
        tasks.add(repository.path, title, TARGET, [])
    assert refused(repository) == []


@pytest.mark.parametrize(
    ("title", "level"), [("Import the month's file lists", "warning"), ("Month's files: import", "error")]
)
def test_by_hand_a_nearly_equal_title_is_a_warning_an_equal_one_an_error(
    repository: Repository, title: str, level: str
) -> None:
    block = TASKS[TASKS.index("### T-0002") : TASKS.index("### T-0003")].rstrip()
    block = block.replace("T-0002", "T-0004").replace("Import the month's files", title)
    repository.write(TODO, f"{TASKS}\n{block}\n")
    reading = Reading(repository.path)
    assert reading.todo
    found = rules.check(reading) + titles.nearly(reading.todo)
    assert [(one.id, one.level) for one in found] == [("E012", level)]


@pytest.mark.parametrize(
    ("values", "accept", "expected"),
    [
        ({"type": "ui"}, [], "E014"),
        ({"type": "bigdata"}, [], "E015"),
        ({"needs": "T-0099"}, [], "E016"),
        ({"type": "magic"}, [], "E010"),
        ({"doc-target": "somewhere"}, [], "E010"),
        ({}, ["hope: it works"], "E010"),
    ],
)
def test_a_task_that_would_break_a_rule_is_not_written(
    repository: Repository, values: dict[str, str], accept: list[str], expected: str
) -> None:
    with pytest.raises(Refused) as caught:
        tasks.add(repository.path, "Send a weekly summary", TARGET | values, accept)
    assert {finding.id for finding in caught.value.findings} == {expected}
    assert refused(repository) == []


def test_what_was_found_on_the_way_is_logged_with_the_task(repository: Repository) -> None:
    tasks.add(repository.path, "Round half to even", TARGET, [], found_in="T-0002")
    assert repository.ids() == []
    assert "### D-0004 — T-0004 was found while working on T-0002" in repository.text(DECISIONS)


def test_a_dry_run_shows_and_writes_nothing(repository: Repository) -> None:
    answer = tasks.add(repository.path, "Send a weekly summary", TARGET, [], dry_run=True)
    assert "### T-0004 — Send a weekly summary" in answer.lines
    assert repository.text(TODO) == TASKS


def test_a_task_is_extended_instead_of_doubled(repository: Repository) -> None:
    tasks.extend(repository.path, "T-0003", ["test: zero is drawn"], ["T-0001"])
    text = repository.text(TODO)
    assert "  - [ ] A4 test: zero is drawn\n" in text
    assert text.replace("  - [ ] A4 test: zero is drawn\n", "").count("- needs: T-0001\n") == 2
    assert repository.ids() == []


def test_one_task_at_a_time_may_be_done(repository: Repository) -> None:
    tasks.move(repository.path, "T-0003", "doing")
    with pytest.raises(Refused) as caught:
        tasks.move(repository.path, "T-0002", "doing")
    assert [finding.id for finding in caught.value.findings] == ["E017"]
    tasks.move(repository.path, "T-0003", "blocked", why="The figures are not there yet")
    tasks.move(repository.path, "T-0002", "doing")
    assert "- why: The figures are not there yet\n" in repository.text(TODO)
    assert repository.ids() == []


def test_what_waits_or_belongs_to_another_plan_is_not_started(repository: Repository) -> None:
    repository.replace(TODO, "- needs: T-0001\n", "- needs: T-0003\n")
    with pytest.raises(Refused) as caught:
        tasks.move(repository.path, "T-0002", "doing")
    assert [finding.id for finding in caught.value.findings] == ["E019"]
    repository.replace(TODO, "Current Plan: P-001", "Current Plan: P-002")
    with pytest.raises(Refused) as caught:
        tasks.move(repository.path, "T-0003", "doing")
    assert [finding.id for finding in caught.value.findings] == ["E018"]


def test_a_verb_works_while_something_else_is_wrong(repository: Repository) -> None:
    repository.write("docs/notes.md", "# Notes\n")
    tasks.move(repository.path, "T-0003", "doing")
    assert repository.ids() == ["E003"]


def test_tasks_are_listed_by_state_and_plan(repository: Repository) -> None:
    answer = tasks.listing(repository.path, state="todo")
    assert [task["id"] for task in answer.data["tasks"]] == ["T-0002", "T-0003"]
    assert tasks.listing(repository.path, plan="P-009").lines == ["No such task."]
