"""Figures from counted scores are those of models.metrics on all examples."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import metrics
from models.quality import bins


def counted(scores: list[float]) -> list[float]:
    counts = bins.empty()
    for score in scores:
        counts[bins.bin_of(score)] += 1.0
    return counts


def ranked(seed: int, lead: float) -> tuple[list[float], list[float]]:
    """Scores of 400 frauds and 20,000 others."""
    draw = random.Random(seed)

    def score(mean: float) -> float:
        return 1.0 / (1.0 + np.exp(-draw.gauss(mean, 1.5)))

    return [score(lead - 5) for _ in range(400)], [score(-5) for _ in range(20_000)]


@pytest.mark.parametrize("lead", [0.0, 1.5, 3.0, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_average_precision_of_bins_is_within_a_two_hundredth_of_the_exact_one(
    seed: int, lead: float
) -> None:
    frauds, others = ranked(seed, lead)
    exact = metrics.average_precision([1] * 400 + [0] * 20_000, frauds + others)
    assert bins.average_precision(counted(frauds), counted(others)) == pytest.approx(
        exact, abs=0.005
    )


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_average_precision_of_bins_lies_between_those_of_the_orders_within_them(
    examples: list[tuple[bool, float]],
) -> None:
    frauds = [score for fraud, score in examples if fraud]
    others = [score for fraud, score in examples if not fraud]
    labels = [1] * len(frauds) + [0] * len(others)
    first, last = (
        [bins.bin_of(score) + shift for score in frauds] + [float(bins.bin_of(s)) for s in others]
        for shift in (0.5, -0.5)
    )
    found = bins.average_precision(counted(frauds), counted(others))
    if not frauds:
        assert np.isnan(found)
        return
    assert found <= metrics.average_precision(labels, first) + 1e-9
    # Of evenly mixed ones not even the first is found without its share of the others.
    assert found >= metrics.average_precision(labels, last) / 2.0


def test_precision_and_recall_at_a_share_are_those_of_the_highest_scores() -> None:
    frauds, others = ranked(5, 3.0)
    top = sorted([(score, 1) for score in frauds] + [(score, 0) for score in others])[-300:]
    hits = sum(fraud for _, fraud in top)
    precision, recall = bins.at_share(counted(frauds), counted(others), 300 / 20_400)
    assert precision == pytest.approx(hits / 300, abs=0.02)
    assert recall == pytest.approx(hits / 400, abs=0.02)


def test_all_alike_scores_have_the_share_of_frauds_at_any_budget() -> None:
    alike = [0.5] * 10, [0.5] * 90
    assert bins.average_precision(*map(counted, alike)) == pytest.approx(0.1)
    assert bins.at_share(*map(counted, alike), 0.2) == pytest.approx((0.1, 0.2))
    assert bins.at_share(*map(counted, alike), 7.0) == pytest.approx((0.1, 1.0))


def test_bins_rise_with_the_score_and_hold_every_score() -> None:
    scores = np.concatenate([np.logspace(-9, -0.4, 500), 1 - np.logspace(-0.4, -9, 500), [0, 1]])
    found = [bins.bin_of(float(score)) for score in sorted(scores)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, bins.BINS - 1)
