"""One contract for everything that learns: River's verbs, equal bits, equal futures, bounds.

The learners stand in the table of ``learner_cases.py``. Hostile input is in
``test_learners_hostile.py``, a million lessons in ``test_learners_memory.py``.
"""

import math
import os
import pickle
import random
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from learner_cases import CASES, LESSONS, Case, fingerprint, taught
from learner_graph import learning_classes, reachable
from learner_streams import payment

HERE = Path(__file__).parent
NO_LEARNERS = {"_Maker", "_Stop", "TextParts"}  # figures; where a forest, or a text, was looked at
EVERY = list(CASES)
FEATURES = [name for name in CASES if CASES[name].kind == "features"]
CLASSIFIERS = [name for name in CASES if CASES[name].shares]
SCORERS = [name for name in CASES if CASES[name].scores]


@pytest.fixture(params=EVERY)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def numbers_in(answer: Any) -> list[float]:
    if isinstance(answer, dict):
        return [number for value in answer.values() for number in numbers_in(value)]
    if isinstance(answer, list | tuple):
        return [number for value in answer for number in numbers_in(value)]
    return [answer] if isinstance(answer, float) else []


# -- the table --------------------------------------------------------------------------------


def test_every_learner_has_a_case() -> None:
    made = {type(case.make()) for case in CASES.values()}
    within = {type(part) for case in CASES.values() for part in reachable(taught(case, 120))}
    classes = [kind for kind in learning_classes() if kind.__name__ not in NO_LEARNERS]
    assert len(classes) > 15
    verbs = [kind for kind in classes if hasattr(kind, "learn_one") and kind.__name__[0] != "_"]
    assert [kind.__name__ for kind in verbs if kind not in made] == []
    assert [kind.__name__ for kind in classes if kind not in within] == []


# -- River's verbs ----------------------------------------------------------------------------


def test_learning_returns_nothing(case: Case) -> None:
    learner, rng = case.make(), random.Random(7)
    assert {case.learn(learner, case.lesson(rng)) for _ in range(60)} == {None}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_sum_to_one_and_the_prediction_is_the_most_probable(name: str) -> None:
    case, rng = CASES[name], random.Random(7)
    learner = case.make()
    for _ in range(400):
        lesson = case.lesson(rng)
        shares, guess = learner.predict_proba_one(lesson[0]), learner.predict_one(lesson[0])
        if shares:
            assert all(0.0 <= share <= 1.0 for share in shares.values())
            assert math.fsum(shares.values()) == pytest.approx(1.0, abs=1e-9)
            assert shares[guess] == max(shares.values())
        else:
            assert guess is None
        case.learn(learner, lesson)
    known = {case.lesson(rng)[1] for _ in range(100)}
    assert set(learner.predict_proba_one(case.lesson(rng)[0])) == known


@pytest.mark.parametrize("name", SCORERS)
def test_scores_lie_between_zero_and_one(name: str) -> None:
    case, rng = CASES[name], random.Random(7)
    learner, scores = case.make(), []
    for _ in range(400):
        lesson = case.lesson(rng)
        scores.append(learner.score_one(lesson[0]))
        case.learn(learner, lesson)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert len(set(scores)) > 100


# -- answers and digests ----------------------------------------------------------------------


def test_learner_answers_before_any_lesson(case: Case) -> None:
    learner = case.make()
    before = case.digest(learner)
    case.answer(learner, case.lesson(random.Random(1)))
    assert case.digest(learner) == before


def test_equal_lessons_give_equal_learners(case: Case) -> None:
    one, other = taught(case, 300), taught(case, 300)
    assert case.digest(one) == case.digest(other)
    assert case.digest(taught(case, 300, seed=8)) != case.digest(one)


def test_digest_changes_with_every_lesson(case: Case) -> None:
    learner, rng = case.make(), random.Random(7)
    digests = [case.digest(learner)]
    for _ in range(60):
        case.learn(learner, case.lesson(rng))
        digests.append(case.digest(learner))
    assert len(set(digests)) == len(digests)


def test_answering_changes_nothing(case: Case) -> None:
    quiet, asked = case.make(), case.make()
    rng, other = random.Random(7), random.Random(8)
    for step in range(120):
        lesson = case.lesson(rng)
        before = case.digest(asked) if step % 20 == 0 else None
        case.answer(asked, case.lesson(other))
        assert before in (None, case.digest(asked))
        case.learn(quiet, lesson)
        case.learn(asked, lesson)
    assert case.digest(quiet) == case.digest(asked)


def test_learning_does_not_touch_its_lesson(case: Case) -> None:
    learner, rng = case.make(), random.Random(7)
    for _ in range(60):
        lesson = case.lesson(rng)
        before = pickle.dumps(lesson)
        case.answer(learner, lesson)
        case.learn(learner, lesson)
        assert pickle.dumps(lesson) == before


@pytest.mark.parametrize("count", [0, 30, 600])
def test_learner_pickled_has_the_same_future(case: Case, count: int) -> None:
    learner = taught(case, count)
    copy = pickle.loads(pickle.dumps(learner))
    assert case.digest(copy) == case.digest(learner)
    rng = random.Random(9)
    for _ in range(300):
        lesson = case.lesson(rng)
        assert case.answer(copy, lesson) == case.answer(learner, lesson)
        case.learn(learner, lesson)
        case.learn(copy, lesson)
    assert case.digest(copy) == case.digest(learner)


def test_learners_agree_with_processes_of_other_hash_seeds() -> None:
    """One process a seed, each with all learners."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(HERE / "learner_cases.py")],
                    env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(HERE.parents[1])},
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for seed in ("0", "4242")
        ]
        here = [fingerprint(name, LESSONS) for name in CASES]
        for process in started:
            said, _ = process.communicate()
            assert process.returncode == 0
            assert said.splitlines() == here


# -- features that come, go, and stand in another order ----------------------------------------


@pytest.mark.parametrize("name", FEATURES)
def test_learner_ignores_the_order_of_features(name: str) -> None:
    case, rng = CASES[name], random.Random(7)
    one, other = case.make(), case.make()
    for _ in range(200):
        x, fraud = payment(rng)
        case.learn(one, (x, fraud))
        case.learn(other, (dict(reversed(x.items())), fraud))
    assert case.digest(one) == case.digest(other)


@pytest.mark.parametrize("name", FEATURES)
def test_learner_survives_features_that_come_and_go(name: str) -> None:
    case, rng = CASES[name], random.Random(5)
    learner = case.make()
    case.learn(learner, ({}, False))
    for step in range(400):
        x, fraud = payment(rng)
        x = {f"{key}-{step // 100}": number for key, number in x.items()}
        case.answer(learner, (x, fraud))
        case.learn(learner, (x, fraud))
        if step > 100:
            few = {key: x[key] for key in sorted(x)[:1]}
            assert all(map(math.isfinite, numbers_in(case.answer(learner, (few, fraud)))))
    assert all(map(math.isfinite, numbers_in(case.answer(learner, ({}, False)))))
