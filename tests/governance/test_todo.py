"""The parser of docs/TODO.md: every line is in the grammar or named as one that is not."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import documents, edit, preflight, todo
from governance.parser import MOST_FAULTS, is_date
from tests.governance.repository import TASKS

REAL = Path(preflight.ROOT, documents.TODO).read_text(encoding="utf-8")


def faults(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in todo.parse(text).faults.all()]


def test_the_repositorys_own_tasks_parse_and_come_back_byte_for_byte() -> None:
    for text in (REAL, TASKS):
        parsed = todo.parse(text)
        assert parsed.faults.all() == []
        for task in parsed.tasks:
            assert edit.changed(text, task, edit.written(task)) == text


def test_a_task_is_read_with_its_places() -> None:
    task = todo.parse(TASKS).tasks[1]
    assert (task.id, task.title, task.line, task.state) == ("T-0002", "Import the month's files", 25, "todo")
    assert task.types == ["code", "bigdata"]
    assert [(item.number, item.kind, item.ticked) for item in task.acceptance][-1] == (4, "dataqueue", False)
    assert todo.parse(TASKS).tasks[0].closed_with("tests") == ["tests/test_app.py"]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("- needs: T-0001\n", "- needs: T-0001\n- colour: red\n", 30, "'- colour: red' is no field"),
        ("- needs: T-0001\n", "- needs: T-1\n", 29, "needs: 'T-1' is not usable"),
        (
            "- state: todo\n- plan: P-001\n",
            "- plan: P-001\n- state: todo\n",
            27,
            "'state' is repeated or out of order",
        ),
        ("- state: todo\n", "- state: ready\n", 26, "state: 'ready' is not usable"),
        ("- type: code, bigdata\n", "- type: code,bigdata\n", 28, "type: 'code,bigdata' is not usable"),
        ("  - [ ] A2 batching:", "  - [ ] A3 batching:", 33, "is no acceptance"),
        ("  - [ ] A2 batching:", "  - [y] A2 batching:", 33, "is no acceptance"),
        ("  - [ ] A2 batching:", "  - [ ] A2 guess:", 33, "is no acceptance"),
        ("  - [ ] A2 batching:", "  * [ ] A2 batching:", 33, "is no field of a task"),
        (
            "- pre-verified: none\n\n### T-0003",
            "- pre-verified: none\n### T-0003",
            37,
            "no empty line before",
        ),
        ("Current Plan: P-001", "Current Plan: soon", 2, "names no plan"),
        ("### T-0002 — ", "### T-0002 - ", 25, "stands outside of a task"),
        ("### T-0002 — ", "### T-٠٠٠٢ — ", 25, "stands outside of a task"),
        ("- done: 2026-01-02", "- done: 2026-02-30", 13, "done: '2026-02-30' is not usable"),
        ("  - files: app.py", "  - file: app.py", 14, "is no line of a closing"),
        ("# TODO\n", "# TODO\nSome words.\n", 2, "stands outside of a task"),
    ],
)
def test_what_is_not_in_the_grammar_is_named_where_it_stands(
    old: str, new: str, line: int, words: str
) -> None:
    assert old in TASKS
    start = TASKS.index("### T-0002") if old in TASKS[TASKS.index("### T-0002") :] else 0
    found = faults(TASKS[:start] + TASKS[start:].replace(old, new, 1))
    assert (line, True) in [(at, words in message) for at, message in found], found


def test_a_missing_last_line_feed_is_named() -> None:
    assert faults(TASKS.rstrip("\n")) == [(TASKS.count("\n"), "the last line has no line feed.")]


def test_a_foreign_document_brings_a_bounded_number_of_faults() -> None:
    readme = Path(preflight.ROOT, "README.md").read_text(encoding="utf-8")
    found = faults(readme)
    assert len(found) == MOST_FAULTS
    assert "more lines do not parse" in found[-1][1]


@given(st.text(max_size=400))
def test_any_text_is_parsed_or_refused_and_never_crashes(text: str) -> None:
    parsed = todo.parse(text)
    lines = [line for line in text.split("\n") if line]
    assert all(1 <= fault.line <= text.count("\n") + 1 for fault in parsed.faults.all())
    if lines and not parsed.tasks and lines[0] != "# TODO" and not parsed.plan_line:
        assert parsed.faults.all()


def test_broken_copies_of_real_tasks_never_crash_the_parser() -> None:
    rng = random.Random(7)
    for _ in range(300):
        text = list(REAL)
        for _ in range(rng.randint(1, 20)):
            at = rng.randrange(len(text))
            text[at : at + rng.randint(0, 30)] = rng.choice(["", "\n", " ", "- ", "[x]", "—", "\x0b", "###"])
        parsed = todo.parse("".join(text))
        assert len(parsed.faults.all()) <= MOST_FAULTS


@given(st.dates())
def test_every_day_of_the_calendar_is_a_day(day: object) -> None:
    assert is_date(str(day))


@pytest.mark.parametrize(
    "word", ["2026-02-29", "2026-13-01", "2026-1-01", "２０２６-01-01", "", "2026-00-10"]
)
def test_other_words_are_none(word: str) -> None:
    assert not is_date(word)
