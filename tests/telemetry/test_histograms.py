"""Histograms: quantiles stay honest after merging."""

import random

import pytest

from telemetry.histograms import LAST, Histogram, Observed, bucket_of, from_json, upper_ms


@pytest.mark.parametrize(("ms", "bucket"), [(-1, 0), (0, 0), (1, 0), (1.1, 1), (2, 4), (float("inf"), LAST)])
def test_a_duration_has_one_bucket_that_holds_it(ms: float, bucket: int) -> None:
    assert bucket_of(ms) == bucket
    assert bucket in {0, LAST} or upper_ms(bucket - 1) < ms <= upper_ms(bucket)


def test_quantiles_of_merged_parts_are_those_of_the_whole_within_a_bucket() -> None:
    chance = random.Random(7)
    durations = [chance.lognormvariate(4, 1) for _ in range(4000)]
    merged = Histogram()
    for part in range(4):
        one = Histogram()
        for ms in durations[part::4]:
            one.add(ms)
        merged.merge(from_json(one.as_json()))
    for share in (0.5, 0.95, 0.99):
        exact = sorted(durations)[int(len(durations) * share)]
        told = merged.quantile_ms(share)
        assert told is not None
        assert exact * 0.98 <= told <= exact * 1.02
    assert merged.count == 4000
    assert Histogram().quantile_ms(0.5) is None


@pytest.mark.parametrize(("share", "told"), [(0.01, 431.3), (0.5, 471.3), (1, 512)])
def test_a_quantile_lies_in_its_bucket_where_its_rank_does(share: float, told: float) -> None:
    assert Histogram({bucket_of(512): 100}).quantile_ms(share) == pytest.approx(told, abs=0.1)


def test_no_quantile_is_longer_than_what_took_longest() -> None:
    one = Histogram()
    one.add(440)
    assert one.quantile_ms(0.99) == 440


def test_names_without_end_are_bounded_and_what_was_taken_can_be_given_back() -> None:
    observed = Observed()
    for n in range(observed.MOST + 50):
        observed.observe(("client", str(n)), 1)
    taken = observed.take()
    assert (len(taken), taken["(others)", "(others)"].count) == (observed.MOST + 1, 50)
    assert observed.take() == {}
    observed.give_back(taken.items())
    assert len(observed.take()) == observed.MOST + 1
