"""Timing in turns, and the ratios that come of it."""

from benchmarks.timing import Pairs, Spread, alternate


def test_both_sides_take_turns_after_one_turn_that_does_not_count() -> None:
    said: list[str] = []
    pairs = alternate(
        lambda: said.append("ours"), lambda: said.append("peer"), runs=2, before=lambda: said.append("before")
    )
    assert said == ["before", "ours", "peer"] * 3
    assert len(pairs.ours_s) == len(pairs.peer_s) == 2


def test_a_ratio_is_the_median_of_the_runs_with_the_lowest_and_the_highest() -> None:
    pairs = Pairs(ours_s=[2.0, 8.0, 3.0], peer_s=[1.0, 2.0, 2.0])
    assert pairs.cost == Spread(2.0, 1.5, 4.0)
    assert pairs.speed == Spread(0.5, 0.25, 2 / 3)


def test_work_in_parts_is_summed_run_by_run() -> None:
    total = Pairs.sum([Pairs([1.0, 2.0], [10.0, 20.0]), Pairs([3.0, 4.0], [30.0, 40.0])])
    assert total == Pairs([4.0, 6.0], [40.0, 60.0])


def test_rates_go_by_the_median_run() -> None:
    pairs = Pairs(ours_s=[1.0, 2.0, 100.0], peer_s=[4.0, 4.0, 4.0])
    assert pairs.ours_rate(1_000) == 500
    assert pairs.peer_rate(1_000) == 250
