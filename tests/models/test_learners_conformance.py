"""One contract for all learners: deterministic, picklable, hard to upset, bounded."""

import math
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from learner_cases import CASES, Case, fingerprint, payment, taught

HERE = Path(__file__).parent
NUMERIC = [name for name in CASES if name != "softmax"]
HOSTILE = [math.nan, math.inf, -math.inf, 1e308, -1e308, 10**400, -0.0, 5e-324]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def numbers_in(answer: Any) -> list[float]:
    if isinstance(answer, dict):
        return [number for value in answer.values() for number in numbers_in(value)]
    if isinstance(answer, list | tuple):
        return [number for value in answer for number in numbers_in(value)]
    return [answer] if isinstance(answer, float) else []


def test_learner_answers_before_any_lesson(case: Case) -> None:
    learner = case.make()
    before = learner.digest()
    case.answer(learner, case.lesson(random.Random(1)))
    assert learner.digest() == before


def test_learner_equal_lessons_give_equal_learners(case: Case) -> None:
    one, other = taught(case, 300), taught(case, 300)
    assert one.digest() == other.digest()
    assert taught(case, 300, seed=8).digest() != one.digest()


def test_learner_digest_changes_with_every_lesson(case: Case) -> None:
    learner, rng = case.make(), random.Random(7)
    digests = [learner.digest()]
    for _ in range(60):
        case.learn(learner, case.lesson(rng))
        digests.append(learner.digest())
    assert len(set(digests)) == len(digests)


def test_learner_answering_changes_nothing(case: Case) -> None:
    quiet, asked = case.make(), case.make()
    rng, other = random.Random(7), random.Random(8)
    for _ in range(200):
        lesson = case.lesson(rng)
        case.answer(asked, case.lesson(other))
        case.learn(quiet, lesson)
        case.learn(asked, lesson)
    assert quiet.digest() == asked.digest()


@pytest.mark.parametrize("count", [0, 30, 600])
def test_learner_pickled_has_the_same_future(case: Case, count: int) -> None:
    learner = taught(case, count)
    copy = pickle.loads(pickle.dumps(learner))
    assert copy.digest() == learner.digest()
    rng = random.Random(9)
    for _ in range(300):
        lesson = case.lesson(rng)
        assert case.answer(copy, lesson) == case.answer(learner, lesson)
        case.learn(learner, lesson)
        case.learn(copy, lesson)
    assert copy.digest() == learner.digest()


def test_learners_agree_with_a_process_of_another_hash_seed() -> None:
    here = [fingerprint(name, 400) for name in CASES]
    done = subprocess.run(
        [sys.executable, str(HERE / "learner_cases.py")],
        env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == here


@pytest.mark.parametrize("name", NUMERIC)
def test_numeric_learner_ignores_the_order_of_features(name: str) -> None:
    case = CASES[name]
    one, other = case.make(), case.make()
    rng = random.Random(7)
    for _ in range(200):
        x, fraud = payment(rng)
        case.learn(one, (x, fraud))
        case.learn(other, (dict(reversed(x.items())), fraud))
    assert one.digest() == other.digest()


@pytest.mark.parametrize("name", NUMERIC)
def test_numeric_learner_survives_hostile_numbers(name: str) -> None:
    case, rng = CASES[name], random.Random(5)
    learner = case.make()
    for step in range(400):
        x, fraud = payment(rng)
        x[f"f{rng.randrange(9)}"] = HOSTILE[step % len(HOSTILE)]
        case.learn(learner, (x, fraud))
        if step > 100:
            assert all(map(math.isfinite, numbers_in(case.answer(learner, (x, fraud)))))


@pytest.mark.parametrize("name", NUMERIC)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numeric_learner_reads_what_is_not_finite_as_missing(name: str, value: float) -> None:
    case = CASES[name]
    learner = taught(case, 300)
    x, fraud = payment(random.Random(6))
    without = {key: number for key, number in x.items() if key != "f5"}
    expected = case.answer(learner, (without, fraud))
    assert case.answer(learner, (without | {"f5": value}, fraud)) == expected


@pytest.mark.parametrize("name", NUMERIC)
def test_numeric_learner_survives_features_that_come_and_go(name: str) -> None:
    case, rng = CASES[name], random.Random(5)
    learner = case.make()
    case.learn(learner, ({}, False))
    for step in range(400):
        x, fraud = payment(rng)
        x = {f"{key}-{step // 100}": number for key, number in x.items()}
        case.answer(learner, (x, fraud))
        case.learn(learner, (x, fraud))
    assert all(map(math.isfinite, numbers_in(case.answer(learner, ({}, False)))))


def test_learner_memory_stops_growing(case: Case) -> None:
    learner, rng = case.make(), random.Random(7)
    sizes = []
    for _ in range(4):
        for _ in range(500):
            case.learn(learner, case.lesson(rng))
        sizes.append(len(pickle.dumps(learner)))
    assert sizes[3] < 1.35 * sizes[1]
