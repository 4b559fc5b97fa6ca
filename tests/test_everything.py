"""How `./run test` hands the tests out to processes."""

import pytest

from tests.everything import spread


def test_the_whole_suite_runs_on_every_core_but_on_four_at_most() -> None:
    assert spread([], 2)[:2] == ["-n", "2"]
    assert spread(["-q"], 64)[:2] == ["-n", "4"]
    assert spread([], 1) == []


@pytest.mark.parametrize(
    "said", ["tests/healthpilot", "tests/test_everything.py::test_x", "--dist=load", "--pdb"]
)
def test_who_names_tests_or_says_how_is_not_overruled(said: str) -> None:
    assert spread([said], 8) == []


def test_a_file_goes_to_one_process_whoever_says_how_many_there_are() -> None:
    assert spread(["-n3"], 8) == spread([], 8)[2:]
    assert "loadgroup" in spread(["-n3"], 8)
