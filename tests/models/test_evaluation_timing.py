import math

import pytest

from models.evaluation.timing import Timings


def timed(*durations_us: float) -> Timings:
    timings = Timings(lambda: 0)
    for each in durations_us:
        timings.add(round(each * 1000))
    return timings


def test_timings_give_median_and_mean_to_a_per_cent() -> None:
    timings = timed(*range(1, 1_000), 1_000_000.0)
    assert timings.p50_us == pytest.approx(500, rel=0.01)
    assert timings.quantile_us(0.9) == pytest.approx(900, rel=0.01)
    assert timings.mean_us == pytest.approx((999 * 500 + 1_000_000) / 1_000)


def test_timings_of_nothing_and_of_no_time_are_no_fault() -> None:
    assert math.isnan(timed().p50_us)
    assert math.isnan(timed().mean_us)
    assert timed(0.0).p50_us < 0.01


def test_timings_measure_with_the_clock_they_are_given() -> None:
    ticks = iter([10_000, 12_000])
    timings = Timings(lambda: next(ticks))
    with timings.measured():
        pass
    assert timings.mean_us == 2.0
