"""Rules on the whole tree: silenced tools with their reasons, dependencies with their decisions."""

import json

import pytest

from governance import budgets, output, preflight, tree
from governance.findings import Finding
from governance.output import Answer
from governance.reading import Reading
from governance.verbs import verify
from tests.governance.repository import Repository


@pytest.mark.parametrize(
    ("line", "silent"),
    [
        ("import os  # noqa", True),
        ("import os  # noqa: F401", True),
        ("import os  # noqa: F401, E402", True),
        ("x = 1  # type: ignore[misc]", True),
        ("x = 1  # type: ignore", True),
        ("x = 1  # type: ignore[misc] # noqa: S101", True),
        ("import os  # noqa: F401 - importing registers them", False),
        ("x = 1  # type: ignore[misc] # celery has no types", False),
        ("x = 1  # type: ignore[misc]  # noqa: S302 - its owner runs this", False),
        ("text = '# noqa'", False),
        ("x = 1  # a comment", False),
    ],
)
def test_a_silenced_tool_needs_a_reason(repository: Repository, line: str, silent: bool) -> None:
    repository.write("module.py", f"\n{line}\n")
    found = tree.unreasoned(repository.path, "module.py")
    assert [(finding.id, finding.line) for finding in found] == ([("E062", 2)] if silent else [])


@pytest.mark.parametrize(
    ("name", "decided"),
    [("Django>=5", True), ("django-nothing", False), ("Djang", False), ("left-pad[x]>1", False)],
)
def test_a_dependency_needs_a_decision_that_names_it(
    repository: Repository, name: str, decided: bool
) -> None:
    repository.write("pyproject.toml", f'[project]\ndependencies = [\n  "{name}",\n]\n')
    found = tree.dependencies(Reading(repository.path))
    assert [(finding.id, finding.line) for finding in found] == ([] if decided else [("E061", 3)])


def test_a_document_deep_in_the_tree_is_found(repository: Repository) -> None:
    repository.write("costs/NOTES.md", "# Notes\n")
    repository.write("static/vendor/README.md", "theirs\n")
    found = [finding for finding in tree.check(Reading(repository.path)) if finding.id == "E003"]
    assert [finding.path for finding in found] == ["costs/NOTES.md"]


def test_a_live_budget_follows_its_latest_decision(repository: Repository) -> None:
    repository.decide(kind="budget", task="T-0002", sets=["budget.api.p95 none -> 500"])
    repository.decide(kind="budget", task="T-0002", sets=["budget.api.p95 500 -> 400"])
    log = Reading(repository.path).log
    assert log is not None
    assert budgets.check(log, {"budget.api.p95": "400"}) == []
    (finding,) = budgets.check(log, {"budget.api.p95": "500"})
    assert (finding.id, finding.message) == ("E040", "budget.api.p95 is 500, but D-0005 set it to 400.")
    assert "budget.api.p95 400 -> 500" in finding.hint
    assert [one.id for one in budgets.check(log, {"budget.new": "1"})] == ["E041"]


def test_budgets_are_reconciled_three_ways() -> None:
    log = Reading(preflight.ROOT).log
    assert log is not None
    rows = {row["name"]: row for row in budgets.three_ways(log, {"preflight.cold_ms": "31"})}
    assert rows["preflight.cold_ms"] == {
        "name": "preflight.cold_ms",
        "decided": "30",
        "code": "30",
        "database": "31",
    }


def test_every_limit_of_system_status_is_in_force_as_decided() -> None:
    log = Reading(preflight.ROOT).log
    assert log is not None
    live = budgets.live()
    assert live["budget.db.xid_age.critical"] == "1,500,000,000"
    assert budgets.check(log, live) == []
    (moved,) = budgets.check(log, live | {"budget.api.p95.warning": "501"})
    assert moved.id == "E040"


def test_a_part_that_fails_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Finding]:
        raise RuntimeError("no")

    good = Finding("E003", "docs/x.md", 1, "m", "h")
    monkeypatch.delenv("CI", raising=False)
    found = verify.gather({"broken": broken, "good": lambda: [good]})
    assert [(one.id, one.level) for one in found] == [("W099", "warning"), ("E003", "error")]
    monkeypatch.setenv("CI", "true")
    assert verify.gather({"broken": broken})[0].level == "error"


def test_findings_are_shown_as_text_json_and_annotations() -> None:
    answer = Answer(
        ["said"], {"key": 1}, [Finding("E003", "docs/a,b.md", 2, "50% wrong\nhere", "git rm it")], 1
    )
    assert output.render(answer, "text") == "said\n✕ E003 docs/a,b.md:2: 50% wrong\nhere\n    mend: git rm it"
    data = json.loads(output.render(answer, "json"))
    assert (data["ok"], data["key"], data["findings"][0]["id"]) == (False, 1, "E003")
    shown = output.render(answer, "annotations").split("\n")[1]
    assert shown == "::error file=docs/a%2Cb.md,line=2,title=E003::50%25 wrong%0Ahere Mend: git rm it"
