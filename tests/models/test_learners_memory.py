"""What a learner holds does not grow with the lessons: 10,000 in every run, a million in CI.

``make conformance`` teaches the million, to the learners as the desk has them. Each is measured as
a checkpoint and as the memory of its process, at 20 equal distances.
"""

import os
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest
from learner_cases import CASES
from learner_growth import MEASURED, Growth, grow_all, row
from learner_streams import pair, word

from models.knowledge import LABELS, Knowledge
from models.learners.anomaly import AnomalyLearner
from models.learners.forest import FraudForest
from models.learners.quantile_logistic import QuantileBinLogistic
from models.learners.softmax import HashedSoftmaxClassifier

SLACK_BYTES = 20_000
"""Numbers take more digits, detectors keep the logarithm of what they saw."""
RESIDENT_SLACK_BYTES = 4_000_000
SHARE = 1.1


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(10_000, id="10,000", marks=pytest.mark.timeout(600)),
        pytest.param(
            1_000_000, id="1,000,000", marks=[pytest.mark.long, pytest.mark.timeout(3_600)]
        ),
    ],
)
def grown(request: pytest.FixtureRequest) -> dict[str, Growth]:
    jobs = os.cpu_count() or 1
    return grow_all(list(CASES), request.param, jobs, lambda growth: print(row(growth), flush=True))


@pytest.mark.parametrize("name", CASES)
def test_learner_does_not_grow_with_its_lessons(name: str, grown: dict[str, Growth]) -> None:
    growth = grown[name]
    before, after = growth.grown(growth.pickled_bytes)
    assert after <= SHARE * before + SLACK_BYTES, row(growth)
    before, after = growth.grown(growth.resident_bytes)
    assert after <= before + RESIDENT_SLACK_BYTES, row(growth)


def test_check_of_growth_finds_a_leak() -> None:
    sizes = [10_000 + 5_000 * step for step in range(MEASURED)]
    before, after = Growth("leak", 1_000, 100, sizes, sizes, 1.0).grown(sizes)
    assert after > SHARE * before + SLACK_BYTES
    flat = [30_000, *[50_000] * (MEASURED - 1)]
    assert Growth("flat", 1_000, 100, flat, flat, 1.0).grown(flat) == (50_000, 50_000)


# -- what a stream could bring without end: names, labels, terminals ------------------------------


def new_names(rng: random.Random) -> dict[str, float]:
    return {f"f{rng.randrange(10**9)}": 1.0, **pair(rng)[0]}


def teach_names(learner: Any, rng: random.Random) -> None:
    learner.learn_one(new_names(rng), rng.random() < 0.2)


ENDLESS: dict[str, tuple[Callable[[], Any], Callable[[Any, random.Random], None]]] = {
    "names in bins": (
        lambda: QuantileBinLogistic(warm_up_count=200, max_features=16),
        teach_names,
    ),
    "names in a forest": (lambda: FraudForest(tree_count=3, max_depth=3), teach_names),
    "names in half-space trees": (
        lambda: AnomalyLearner(window_size=50, max_features=16, rank_size=50),
        lambda learner, rng: learner.learn_one(new_names(rng)),
    ),
    "labels": (
        lambda: HashedSoftmaxClassifier(bits=8, reservoir_size=20, max_classes=16),
        lambda learner, rng: learner.learn_one(word(rng)[0], f"label {rng.randrange(10**9)}"),
    ),
    "words": (
        lambda: HashedSoftmaxClassifier(bits=8, reservoir_size=20),
        lambda learner, rng: learner.learn_one(f"{rng.randrange(10**9):x}", word(rng)[1]),
    ),
    "terminals": (
        lambda: Knowledge(terminals=50),
        lambda learner, rng: learner.learn(
            "t", f"x{rng.randrange(10**9)}", f"s{rng.randrange(10**9)}", True, 1, 2
        ),
    ),
    "labels of a terminal": (
        Knowledge,
        lambda learner, rng: learner.learn(
            "t", "x", f"s{rng.randrange(10**9)}", rng.random() < 0.5, rng.randrange(10**9), 10**9
        ),
    ),
}


@pytest.mark.parametrize(("make", "teach"), ENDLESS.values(), ids=ENDLESS)
def test_what_never_repeats_does_not_fill_the_memory(
    make: Callable[[], Any], teach: Callable[[Any, random.Random], None]
) -> None:
    learner, rng = make(), random.Random(3)
    sizes = []
    for _ in range(4):
        for _ in range(600):
            teach(learner, rng)
        sizes.append(len(pickle.dumps(learner)))
    assert max(sizes[2:]) <= SHARE * max(sizes[:2]) + 2_000


def test_knowledge_keeps_few_labels_of_a_terminal() -> None:
    knowledge = Knowledge()
    for number in range(10 * LABELS):
        knowledge.learn("t", "x", f"s{number}", True, number, number)
    assert knowledge.facts("t", "x", 10**6).fraud_run == LABELS
