import random
from itertools import pairwise

import pytest

from models.quality.bins import bin_of
from models.quality.verdicts import Paired, Ranked


def lesson_by_lesson(verdict: Paired, gain: float, count: int, draw: random.Random) -> list[bool]:
    """Compare a learner that is right by ``gain`` more often than its baseline."""
    seen = []
    for _ in range(count):
        base = draw.random() < 0.5
        own = draw.random() < 0.5 + gain
        verdict.update(float(own) - float(base), 1.0)
        seen.append(verdict.trusted)
    return seen


@pytest.mark.parametrize("seed", range(5))
def test_learner_that_is_no_worse_is_always_trusted(seed: int) -> None:
    verdict = Paired()
    assert all(lesson_by_lesson(verdict, 0.1, 5_000, random.Random(seed)))


@pytest.mark.parametrize("seed", range(5))
def test_worse_learner_is_distrusted_until_it_recovers(seed: int) -> None:
    verdict, draw = Paired(), random.Random(seed)
    assert all(lesson_by_lesson(verdict, 0.3, 1_000, draw))
    fallen = lesson_by_lesson(verdict, -0.3, 1_000, draw)
    assert not fallen[-1]
    assert fallen.index(False) < 600
    assert fallen.count(False) == len(fallen) - fallen.index(False)  # it does not waver
    risen = lesson_by_lesson(verdict, 0.3, 1_000, draw)
    assert risen[-1]
    assert not risen[50]
    assert risen.count(True) == len(risen) - risen.index(True)


def test_learner_at_the_border_does_not_waver() -> None:
    verdict, draw = Paired(), random.Random(2)
    lesson_by_lesson(verdict, -0.3, 600, draw)
    seen = lesson_by_lesson(verdict, -0.1, 20_000, draw)  # two errors below the margin, about
    changes = sum(first != second for first, second in pairwise(seen))
    assert changes <= 2


def test_nobody_is_distrusted_on_few_labels() -> None:
    verdict = Paired(least_count=100)
    for _ in range(99):
        verdict.update(-1.0, 1.0)
    assert verdict.trusted
    verdict.update(-1.0, 1.0)
    assert not verdict.trusted


def test_weight_counts_as_that_many_examples() -> None:
    heavy, many = Paired(half_life=1e9), Paired(half_life=1e9)
    for difference, weight in ((1.0, 3), (-1.0, 1), (0.0, 2)):
        heavy.update(difference, weight)
        for _ in range(weight):
            many.update(difference, 1.0)
    assert heavy.estimate()[0] == pytest.approx(many.estimate()[0])


def test_old_labels_count_half_after_a_half_life() -> None:
    verdict = Paired(half_life=50)
    for difference in [1.0] * 50 + [0.0] * 50:
        verdict.update(difference, 1.0)
    assert verdict.estimate()[0] == pytest.approx(1 / 3, abs=0.01)


def rank(verdict: Ranked, lead: float, frauds: int, draw: random.Random) -> list[bool]:
    """Show frauds among 20 times as many others; the baseline leads by 2."""
    seen = []
    for _ in range(frauds):
        for fraud in [True] + [False] * 20:
            own, base = draw.gauss(lead * fraud, 1), draw.gauss(2.0 * fraud, 1)
            at = [bin_of(1 / (1 + 2.718281828 ** (4 - each))) for each in (own, base)]
            verdict.update(fraud, at[0], at[1], 1.0)
        seen.append(verdict.trusted)
    return seen


@pytest.mark.parametrize("seed", range(3))
def test_detector_that_ranks_worse_is_distrusted_until_it_recovers(seed: int) -> None:
    verdict, draw = Ranked(), random.Random(seed)
    assert all(rank(verdict, 3.0, 200, draw))
    fallen = rank(verdict, 0.0, 200, draw)
    assert not fallen[-1]
    assert fallen.count(False) == len(fallen) - fallen.index(False)
    risen = rank(verdict, 4.0, 400, draw)
    assert risen[-1]
    assert not risen[20]


@pytest.mark.parametrize("verdict", [Paired(half_life=1.0), Ranked(half_life=1.0)])
def test_verdicts_keep_their_numbers_small(verdict: Paired | Ranked) -> None:
    for _ in range(200):
        if isinstance(verdict, Paired):
            verdict.update(0.5, 1.0)
        else:
            verdict.update(True, 200, 100, 1.0)
    assert verdict.unit < 2e9
    assert verdict.estimate()[0] == pytest.approx(0.5 if isinstance(verdict, Paired) else 0.0)
