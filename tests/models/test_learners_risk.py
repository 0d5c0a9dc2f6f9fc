import math
import pickle
import random

import pytest

from models.features.catalogue import TRANSACTION_FEATURES
from models.features.telling import TELLING
from models.features.unusual import UNUSUAL
from models.learners.forest import FraudForest
from models.learners.numbers import LIMIT, finite
from models.learners.quantile_logistic import QuantileBinLogistic
from models.learners.risk import RiskLearner
from models.metrics import average_precision, expected_calibration_error


def example(rng: random.Random, share: float = 0.1) -> tuple[dict[str, float], bool]:
    """A fraud has a middling `a` (no line separates it) or a large `b`; `noise` means nothing."""
    fraud = rng.random() < share
    x = {"a": rng.uniform(-3.0, 3.0), "b": rng.expovariate(1.0), "noise": rng.gauss(0.0, 1.0)}
    if fraud and rng.random() < 0.7:
        x["a"] = rng.uniform(-0.3, 0.3)
    elif fraud:
        x["b"] += 5.0
    return x, fraud


def test_finite_drops_what_is_missing_and_cuts_what_is_huge() -> None:
    x = {"d": 10**400, "c": -1e300, "b": None, "a": 1, "e": math.nan, "f": -math.inf}
    assert finite(x) == {"a": 1.0, "c": -LIMIT, "d": LIMIT}
    assert list(finite({"b": 1.0, "a": 2.0})) == ["a", "b"]


@pytest.mark.parametrize("make", [QuantileBinLogistic, FraudForest, RiskLearner])
def test_learner_finds_what_no_line_separates(make: type[RiskLearner]) -> None:
    learner, rng = make(), random.Random(1)
    for _ in range(4_000):
        learner.learn_one(*example(rng))
    tests = [example(rng) for _ in range(2_000)]
    scores = [learner.predict_proba_one(x)[True] for x, _ in tests]
    assert average_precision([fraud for _, fraud in tests], scores) > 0.5


def test_bins_are_blind_to_monotone_rescaling() -> None:
    plain, bent = QuantileBinLogistic(), QuantileBinLogistic()
    rng = random.Random(2)
    for _ in range(1_000):
        x, fraud = example(rng)
        plain.learn_one(x, fraud)
        bent.learn_one({name: math.exp(value) for name, value in x.items()}, fraud)
    x, _ = example(rng)
    assert plain.logit_one(x) == bent.logit_one({name: math.exp(v) for name, v in x.items()})


def test_bins_learn_from_what_is_missing() -> None:
    learner = QuantileBinLogistic()
    for step in range(400):
        learner.learn_one({"a": 1.0} if step % 2 else {"a": 1.0, "b": float(step)}, step % 2 == 1)
    assert learner.predict_one({"a": 1.0})
    assert not learner.predict_one({"a": 1.0, "b": 5.0})


def test_bins_weight_scales_a_lesson() -> None:
    ignored, learned = QuantileBinLogistic(), QuantileBinLogistic()
    for learner, weight in ((ignored, 0.0), (learned, 1.0)):
        learner.learn_one({"a": 1.0}, True, weight)
    assert ignored.predict_proba_one({"a": 1.0})[True] == 0.5
    assert learned.predict_proba_one({"a": 1.0})[True] > 0.5


@pytest.mark.parametrize("make", [QuantileBinLogistic, FraudForest, RiskLearner])
def test_explanations_sum_to_the_logit(make: type[RiskLearner]) -> None:
    learner, rng = make(), random.Random(3)
    for _ in range(1_500):
        learner.learn_one(*example(rng))
    for _ in range(200):
        x, _ = example(rng)
        assert math.fsum(learner.explain_one(x).values()) == pytest.approx(learner.logit_one(x))


def test_explanations_name_the_feature_that_betrays() -> None:
    learner, rng = RiskLearner(), random.Random(4)
    for _ in range(4_000):
        learner.learn_one(*example(rng))
    parts = learner.explain_one({"a": 2.0, "b": 9.0, "noise": 0.1})
    assert max((name for name in parts if name[0] != "("), key=parts.__getitem__) == "b"


def test_forest_agrees_with_the_library() -> None:
    forest, rng = FraudForest(), random.Random(5)
    for _ in range(2_000):
        forest.learn_one(*example(rng))
    for _ in range(200):
        x, _ = example(rng)
        theirs = forest._forest.predict_proba_one(x)[True]
        assert forest.predict_proba_one(x)[True] == pytest.approx(theirs, abs=1e-12)


def test_forest_pickled_amid_a_drift_has_the_same_future() -> None:
    forest, rng = FraudForest(seed=2), random.Random(8)
    for _ in range(1_000):
        forest.learn_one(*example(rng, share=0.5))
    copies = []
    for step in range(1_000):
        x, fraud = example(rng, share=0.5)
        if step % 100 == 0:
            copies.append(pickle.loads(pickle.dumps(forest)))
        for each in (forest, *copies):
            each.learn_one(x, not fraud)
    assert forest._forest.n_drifts_detected() > 0
    assert {each.digest() for each in copies} == {forest.digest()}


def test_risk_is_not_ready_before_a_positive() -> None:
    learner, rng = RiskLearner(), random.Random(6)
    x, _ = example(rng)
    for _ in range(20):
        learner.learn_one(example(rng)[0], False)
    assert not learner.ready
    assert learner.score_one(x) == 0.0
    assert learner.explain_one(x) == {}
    learner.learn_one(x, True)
    assert learner.ready
    assert learner.score_one(x) > 0.0


@pytest.mark.parametrize("kept", [1.0, 0.1])
def test_risk_scores_are_shares_whatever_was_kept(kept: float) -> None:
    learner, rng = RiskLearner(), random.Random(7)
    for _ in range(20_000 if kept < 1.0 else 5_000):
        x, fraud = example(rng, share=0.03)
        if fraud or rng.random() < kept:
            learner.learn_one(x, fraud, kept)
    assert learner.kept_share == pytest.approx(kept)
    tests = [example(rng, share=0.03) for _ in range(4_000)]
    scores = [learner.score_one(x) for x, _ in tests]
    assert expected_calibration_error([fraud for _, fraud in tests], scores) < 0.02


@pytest.mark.parametrize("kept", [0.0, -0.1, 1.5, math.nan])
def test_risk_refuses_an_impossible_share(kept: float) -> None:
    with pytest.raises(ValueError, match="kept_share"):
        RiskLearner().learn_one({"a": 1.0}, False, kept)


def test_forest_learns_three_negatives_in_ten_and_every_positive() -> None:
    forest, rng = FraudForest(), random.Random(9)
    learner = RiskLearner(forest=forest)
    for fraud in [False] * 100 + [True] * 10:
        learner.learn_one(example(rng)[0], fraud)
    assert forest._lesson_count == 30 + 10
    x, _ = example(rng)
    mean = (learner._bins.logit_one(x) + forest.logit_one(x) + math.log(0.3)) / 2.0
    assert learner.logit_one(x) == pytest.approx(mean)


def test_forest_finds_the_crowd_anew_after_each_lesson() -> None:
    forest, rng = FraudForest(tree_count=2, max_depth=3), random.Random(10)
    for step in range(2_000):
        forest.learn_one(*example(rng, share=0.3))
        kept = forest.logit_one({})
        if step % 50 == 0:
            assert kept == pickle.loads(pickle.dumps(forest)).logit_one({})


@pytest.mark.parametrize("names", [TELLING, UNUSUAL])
def test_chosen_features_are_in_the_catalogue(names: tuple[str, ...]) -> None:
    assert set(names) <= {feature.name for feature in TRANSACTION_FEATURES}
