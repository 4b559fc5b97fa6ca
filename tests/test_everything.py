"""How `./run test` hands the tests out to processes."""

from pathlib import Path

import pytest

from tests.conftest import WAITING, share_of
from tests.everything import spread


def test_the_whole_suite_keeps_every_core_busy_in_four_processes_at_most() -> None:
    assert spread([], 2)[:2] == ["-n", "3"]
    assert spread([], 4)[:2] == ["-n", "4"]
    assert spread(["-q"], 64)[:2] == ["-n", "4"]
    assert spread([], 1) == []


@pytest.mark.parametrize(
    "said", ["tests/healthpilot", "tests/test_everything.py::test_x", "--dist=load", "--pdb"]
)
def test_who_names_tests_or_says_how_is_not_overruled(said: str) -> None:
    assert spread([said], 8) == []


def test_a_file_goes_to_one_process_whoever_says_how_many_there_are() -> None:
    assert spread(["-n3"], 8) == spread([], 8)[2:]
    assert "loadfile" in spread(["-n3"], 8)


def test_pages_are_shared_out_by_what_they_show_and_other_files_whole() -> None:
    page = "tests/e2e/test_pages.py::test_a_page_is_for_everybody[chromium-{}]".format
    assert share_of("tests/costs/test_api.py::test_x[a: b]") == "tests/costs/test_api.py"
    assert share_of(page("cost: ready")) == share_of(page("cost: stale")) != share_of(page("budgets"))
    assert share_of(page("status, storage: a bad night")) == share_of(page("status, health: a bad night"))
    assert share_of(page("status, health: a quiet day")) != share_of(page("status, health: a bad night"))


def test_the_files_that_begin_are_there_and_touch_no_database_of_the_run() -> None:
    for path in WAITING:
        assert "django_db" not in (Path(__file__).parents[1] / path).read_text()
