"""What exists is found with its place, and open tasks are told what they seem to have already."""

import pytest
from django.urls import path, re_path

from governance import addresses, inventory, preflight, todo, tree
from governance.reading import Reading
from governance.selftest.mutations import page
from governance.verbs import survey
from tests.governance.repository import TASKS, Repository

ITEMS = inventory.look(preflight.ROOT)


@pytest.mark.parametrize(
    ("kind", "name", "place"),
    [
        ("route", "/admin/cost", "costs/views.py#dashboard"),
        ("table", "cost_user_daily", "costs/models/daily.py#CostUserDaily"),
        ("task", "costs.fold_usage (every 5 s)", "costs/tasks.py#fold_usage"),
        ("command", "rollup_costs", "costs/management/commands/rollup_costs.py"),
        ("template", "costs/dashboard.html", "templates/costs/dashboard.html"),
    ],
)
def test_each_kind_is_found_with_its_place(kind: str, name: str, place: str) -> None:
    found = [item for item in ITEMS if (item.kind, item.name) == (kind, name)]
    assert [item.place.partition("#")[0] for item in found] == [place.partition("#")[0]], found
    assert tree.is_there(preflight.ROOT, found[0].place)


def test_nothing_of_a_package_is_listed() -> None:
    assert not [item for item in ITEMS if item.place.startswith("..") or "site-packages" in item.place]
    assert not [item for item in ITEMS if item.name.startswith(("auth_", "celery."))]


def test_an_open_task_is_told_what_seems_to_be_there_and_nothing_is_ticked() -> None:
    task = TASKS[TASKS.index("### T-0003") :].replace(
        "Show the figures", "Roll up costs of days by tier: rollup_costs"
    )
    parsed = todo.parse(f"# TODO\nCurrent Plan: P-001\n\n{task}")
    proposals = inventory.propose(parsed, ITEMS)
    assert "costs/management/commands/rollup_costs.py" in [item.place for item in proposals["T-0003"]]
    assert not any(item.ticked for item in parsed.tasks[0].acceptance)


def test_a_done_task_whose_place_is_gone_is_named(repository: Repository) -> None:
    assert tree.places(Reading(repository.path)) == []
    (repository.root / "app.py").unlink()
    (finding,) = tree.places(Reading(repository.path))
    assert (finding.id, finding.line) == ("W050", 14)
    assert "T-0001 names app.py, which is gone" in finding.message


@pytest.mark.parametrize(
    ("place", "there"),
    [
        ("app.py", True),
        ("app.py#total", True),
        ("app.py#tot", False),
        ("tests/", True),
        ("tests/gone.py", False),
    ],
)
def test_a_place_is_a_path_and_a_name_in_it(repository: Repository, place: str, there: bool) -> None:
    assert tree.is_there(repository.path, place) is there


@pytest.mark.parametrize(
    ("pattern", "catches"),
    [
        (path("<path:rest>", page), True),
        (path("files/<path:rest>", page), True),
        (re_path(r"^.*$", page), True),
        (re_path(r"^docs/(?P<rest>.+)$", page), True),
        (path("files/<path:name>/edit", page), False),
        (path("<slug:name>/", page), False),
        (path("", page), False),
        (re_path(r"^docs/\d+$", page), False),
    ],
)
def test_an_address_that_takes_whatever_comes_is_named(pattern: object, catches: bool) -> None:
    assert [finding.id for finding in addresses.check([pattern])] == (["E060"] if catches else [])  # type: ignore[list-item] # either kind


def test_the_verb_lists_by_kind() -> None:
    answer = survey.survey(preflight.ROOT)
    assert any(line.startswith("routes: ") for line in answer.lines)
    assert answer.code == 0
    assert survey.route("design tokens").data["document"] == "DESIGN_SYSTEM.md"
