"""Closing a task: reports are read, not believed; what changed after the tests ran proves nothing."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from governance import evidence, tree
from governance.documents import DECISIONS, TODO
from governance.reading import Reading
from governance.verbs import done, tasks
from governance.verbs.done import Proof
from governance.writing import Refused
from tests.governance.repository import Repository

ANSWERS = dict.fromkeys(["stale-time", "tab-queries", "cursor-pagination", "indexes"], "YES")
ANSWERS |= {"dataqueue": "N/A (reads only)", "virtualization": "N/A (50 rows)", "prefetch": "NO → T-0002"}
PAGE = {"url": "http://localhost/", "violations": [], "passes": [{"id": "color-contrast"}]}


def junit(folder: Path, *cases: str, digest: str = "", began: float | None = None) -> str:
    """Write a report as pytest does; a case is 'module.test outcome'."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(began or time.time() + 2))
    lines = []
    for case in cases:
        name, _, outcome = case.partition(" ")
        module, _, test = name.rpartition(".")
        inside = f"<{outcome}/>" if outcome else ""
        lines.append(f'<testcase classname="{module}" name="{test}">{inside}</testcase>')
    marks = (
        f'<properties><property name="sha256 tests/test_app.py" value="{digest}"/></properties>'
        if digest
        else ""
    )
    path = folder / f"junit-{len(os.listdir(folder))}.xml"
    path.write_text(
        f'<testsuites><testsuite timestamp="{stamp}">{marks}{"".join(lines)}</testsuite></testsuites>'
    )
    return str(path)


def axe(folder: Path, *results: object) -> str:
    path = folder / f"axe-{len(os.listdir(folder))}.json"
    path.write_text(json.dumps(list(results)))
    return str(path)


@pytest.fixture
def started(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The interface task is being done; ./run check, which takes a minute, has passed."""
    monkeypatch.setattr(done, "run_check", lambda root: "exit 0")
    tasks.move(repository.path, "T-0003", "doing")
    return repository


def proof(folder: Path, **values: object) -> Proof:
    given: dict[str, Any] = {"junit": [junit(folder, "tests.test_app.test_page")], "axe": [axe(folder, PAGE)]}
    return Proof(**{**given, "files": ["app.py"], "answers": ANSWERS, **values})


def refusal(repository: Repository, brought: Proof) -> str:
    before = repository.text(TODO), repository.text(DECISIONS)
    with pytest.raises(Refused) as caught:
        done.close(repository.path, "T-0003", brought)
    assert (repository.text(TODO), repository.text(DECISIONS)) == before
    return str(caught.value)


def test_a_proved_task_is_closed_with_checklist_evidence_and_decision(
    started: Repository, tmp_path: Path
) -> None:
    done.close(started.path, "T-0003", proof(tmp_path))
    assert started.ids() == []
    task = tasks.find(tasks.read(started.path), "T-0003")
    assert (task.state, [item.ticked for item in task.acceptance]) == ("done", [True, True, True])
    assert list(task.closing)[3:] == [
        "stale-time",
        "tab-queries",
        "cursor-pagination",
        "indexes",
        "dataqueue",
        "virtualization",
        "prefetch",
        "tests-run",
    ]
    assert task.closing["tests-run"][0] == "PASS"
    mark = evidence.digest(started.path, "tests/test_app.py")[:12]
    assert f"tests/test_app.py@{mark}" in task.closed_with("evidence")
    assert "A2 playwright: tests/test_app.py::test_page, 1 passed" in started.text(DECISIONS)


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        (["tests.test_app.test_page failure"], "1 failures, the first: tests/test_app.py::test_page"),
        (
            ["tests.test_app.test_page", "tests.test_other.test_it error"],
            "the first: tests/test_other.py::test_it",
        ),
        (["tests.test_app.test_page skipped"], "A2 playwright: tests/test_app.py::test_page did not pass"),
        (["tests.test_app.test_pager"], "A2 playwright: tests/test_app.py::test_page did not pass"),
        ([], "A2 playwright: tests/test_app.py::test_page did not pass"),
    ],
)
def test_a_report_without_the_pass_is_refused(
    started: Repository, tmp_path: Path, cases: list[str], words: str
) -> None:
    assert words in refusal(started, proof(tmp_path, junit=[junit(tmp_path, *cases)]))


def test_every_parameter_of_a_test_counts_for_it(started: Repository, tmp_path: Path) -> None:
    report = junit(tmp_path, "tests.test_app.test_page[390]", "tests.test_app.test_page[820]")
    answer = done.close(started.path, "T-0003", proof(tmp_path, junit=[report]))
    assert "A2 playwright: tests/test_app.py::test_page, 2 passed" in answer.data["proofs"]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({**PAGE, "violations": [{"id": "label"}]}, "http://localhost/: label"),
        ({"violations": [], "passes": []}, "is no Axe result"),
        ({"url": "x"}, "is no Axe result"),
        (["nothing"], "is no Axe result"),
    ],
)
def test_axe_is_read_and_an_empty_result_proves_nothing(
    started: Repository, tmp_path: Path, result: object, words: str
) -> None:
    assert words in refusal(started, proof(tmp_path, axe=[axe(tmp_path, result)]))


def test_a_folder_of_axe_reports_is_read_whole(started: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    axe(folder, PAGE)
    axe(folder, PAGE, PAGE)
    answer = done.close(started.path, "T-0003", proof(tmp_path, axe=[str(folder)]))
    assert "A3 axe: 3 pages without violations" in answer.data["proofs"]


def test_axe_is_not_optional_for_a_page(started: Repository, tmp_path: Path) -> None:
    assert "A3 needs Axe's own report" in refusal(started, proof(tmp_path, axe=[]))


@pytest.mark.parametrize("content", ["", "<a>", "no xml", '<!DOCTYPE a [<!ENTITY b "c">]><a/>'])
def test_a_report_that_is_none_is_refused_by_name(started: Repository, tmp_path: Path, content: str) -> None:
    report = tmp_path / "report.xml"
    report.write_text(content)
    assert str(report) in refusal(started, proof(tmp_path, junit=[str(report)]))
    assert "cannot be read" in refusal(started, proof(tmp_path, junit=[str(tmp_path / "gone.xml")]))


def test_files_that_changed_after_the_tests_ran_are_refused(started: Repository, tmp_path: Path) -> None:
    report = junit(tmp_path, "tests.test_app.test_page", began=time.time() - 3600)
    assert refusal(started, proof(tmp_path, junit=[report])).startswith(
        "W023 app.py changed after the tests ran"
    )


def test_a_test_file_is_known_by_what_it_was_when_it_ran(started: Repository, tmp_path: Path) -> None:
    ran = evidence.digest(started.path, "tests/test_app.py")
    report = junit(tmp_path, "tests.test_app.test_page", digest=ran)
    started.write("tests/test_app.py", "def test_page():\n    assert True\n")
    assert refusal(started, proof(tmp_path, junit=[report])).startswith("W023 tests/test_app.py changed")


def test_evidence_that_changes_later_is_told_until_it_is_proved_again(
    started: Repository, tmp_path: Path
) -> None:
    done.close(started.path, "T-0003", proof(tmp_path))
    assert tree.changed_evidence(Reading(started.path)) == []
    started.write("tests/test_app.py", "def test_page():\n    assert 1\n")
    (finding,) = tree.changed_evidence(Reading(started.path))
    assert (finding.id, "tests/test_app.py changed" in finding.message) == ("W023", True)
    with pytest.raises(Refused, match="comes first"):
        done.close(started.path, "T-0003", proof(tmp_path))
    done.close(started.path, "T-0003", proof(tmp_path), again=True)
    assert tree.changed_evidence(Reading(started.path)) == []


def test_a_page_answers_each_line_of_the_checklist_itself(started: Repository, tmp_path: Path) -> None:
    assert "--answer stale-time=YES" in refusal(started, proof(tmp_path, answers={}))
    assert "E021" not in started.ids()
    with pytest.raises(Refused) as caught:
        done.close(started.path, "T-0003", proof(tmp_path, answers=ANSWERS | {"prefetch": "NO → T-0999"}))
    assert [finding.id for finding in caught.value.findings] == ["E021"]


def test_what_no_report_proves_needs_words_on_what_was_seen(started: Repository, tmp_path: Path) -> None:
    tasks.move(started.path, "T-0003", "blocked", why="first the import")
    tasks.move(started.path, "T-0002", "doing")
    brought = proof(tmp_path, axe=[], tests={}, answers={})
    with pytest.raises(Refused, match=r"A2 batching is not proved: --test A2=.* or --seen A2="):
        done.close(started.path, "T-0002", brought)
    brought.tests = {"A2": "tests/test_app.py::test_page"}
    brought.seen = {"A3": "nothing is listed", "A4": "one job ran for each of two files"}
    answer = done.close(started.path, "T-0002", brought)
    assert "A4 dataqueue: seen: one job ran for each of two files" in answer.data["proofs"]
    assert started.ids() == []


@pytest.mark.parametrize(
    ("files", "words"), [([], "Say what was made"), (["gone.py"], "gone.py is not in the repo")]
)
def test_what_was_made_is_named_and_there(
    started: Repository, tmp_path: Path, files: list[str], words: str
) -> None:
    assert words in refusal(started, proof(tmp_path, files=files))


def test_a_task_that_was_not_started_is_not_closed(repository: Repository, tmp_path: Path) -> None:
    assert "task start comes first" in refusal(repository, proof(tmp_path))


def test_of_a_whole_run_only_what_concerns_the_task_is_its_evidence(
    started: Repository, tmp_path: Path
) -> None:
    report = junit(
        tmp_path, "tests.test_app.test_page", "tests.costs.test_views.test_it", "tests.other.test_far.test_it"
    )
    views = Path(started.path, "costs/views.py")
    views.parent.mkdir(exist_ok=True)
    views.touch()
    os.utime(views, (1, 1))
    done.close(started.path, "T-0003", proof(tmp_path, junit=[report], files=["costs/views.py"]))
    task = tasks.find(tasks.read(started.path), "T-0003")
    assert task.closing["tests"][0] == "tests/costs/test_views.py, tests/test_app.py => pass"


@pytest.mark.parametrize(
    ("made", "tests"),
    [
        ("costs/", "tests/costs"),
        ("costs/views.py", "tests/costs/test_views.py"),
        ("app.py", "tests/test_app.py"),
        ("tests/e2e/", "tests/e2e"),
        ("tests/e2e/test_cost.py", "tests/e2e/test_cost.py"),
    ],
)
def test_tests_are_sought_where_they_mirror_what_was_made(made: str, tests: str) -> None:
    assert done.mirrored(made) == tests
