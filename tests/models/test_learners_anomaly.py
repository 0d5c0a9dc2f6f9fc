import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learners.anomaly import AnomalyLearner
from models.learners.ranking import SlidingRank


def usual(rng: random.Random) -> dict[str, float]:
    return {"amount": rng.lognormvariate(3.0, 0.5), "hour": rng.gauss(14.0, 3.0), "flag": 0.0}


@pytest.fixture(scope="module")
def learner() -> AnomalyLearner:
    learner, rng = AnomalyLearner(window_size=250), random.Random(1)
    for _ in range(1_500):
        learner.learn_one(usual(rng))
    return learner


@pytest.mark.parametrize(
    "x",
    [
        {"amount": 900.0, "hour": 14.0, "flag": 0.0},
        {"amount": 20.0, "hour": -10.0, "flag": 0.0},
        {"amount": 500.0, "hour": 1.0, "flag": 1.0},
    ],
)
def test_anomaly_ranks_the_unusual_high(learner: AnomalyLearner, x: dict[str, float]) -> None:
    assert learner.rank_one(learner.score_one(x)) > 0.97


def test_anomaly_ranks_the_usual_evenly(learner: AnomalyLearner) -> None:
    rng = random.Random(2)
    ranks = [learner.rank_one(learner.score_one(usual(rng))) for _ in range(500)]
    assert sum(ranks) / len(ranks) == pytest.approx(0.5, abs=0.08)
    assert sum(rank > 0.95 for rank in ranks) / len(ranks) < 0.12


def test_anomaly_is_not_ready_before_its_first_window() -> None:
    learner, rng = AnomalyLearner(window_size=50), random.Random(3)
    for _ in range(49):
        learner.learn_one(usual(rng))
    assert not learner.ready
    assert learner.score_one(usual(rng)) == 0.0
    assert learner.rank_one(0.0) == 0.5
    learner.learn_one(usual(rng))
    assert learner.ready
    assert learner.score_one(usual(rng)) > 0.0


def test_anomaly_gets_used_to_what_stays() -> None:
    learner, rng = AnomalyLearner(window_size=250, rank_size=500), random.Random(4)
    for _ in range(750):
        learner.learn_one(usual(rng))
    new = {"amount": 900.0, "hour": 3.0, "flag": 1.0}
    before = learner.score_one(new)
    for _ in range(500):
        learner.learn_one({"amount": rng.uniform(800, 1000), "hour": rng.gauss(3, 1), "flag": 1.0})
    assert learner.score_one(new) < before


def test_anomaly_scores_with_the_bits_of_rivers_trees() -> None:
    learner, rng = AnomalyLearner(tree_count=3, height=6, window_size=40), random.Random(6)
    for number in range(500):
        x = usual(rng)
        if number > 40:
            unit = {name: scale.unit(x[name]) for name, scale in learner._scales.items()}
            unit = dict(list(unit.items())[: rng.choice([1, 2, 3, 3, 3])])
            known = {name: x[name] for name in unit}
            rivers: Any = learner._trees
            assert learner.score_one(known) == min(max(rivers.score_one(unit), 0.0), 1.0)
        learner.learn_one(x)


def test_anomaly_looks_only_at_the_features_it_was_given() -> None:
    learner, rng = AnomalyLearner(window_size=50, features=["amount"]), random.Random(5)
    for _ in range(200):
        learner.learn_one(usual(rng))
    x = usual(rng)
    assert learner.score_one(x | {"hour": 1e9}) == learner.score_one(x)
    assert learner.score_one(x | {"amount": 1e9}) > learner.score_one(x)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 10), st.floats(0, 1))
def test_rank_is_the_share_below_among_the_latest(
    numbers: list[float], size: int, asked: float
) -> None:
    rank = SlidingRank(size)
    for number in numbers:
        rank.learn_one(number)
    latest = numbers[-size:]
    below = sum(number < asked for number in latest) + sum(n == asked for n in latest) / 2
    assert rank.rank_one(asked) == pytest.approx(below / len(latest))
