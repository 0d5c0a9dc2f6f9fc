import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learners.abstention import MIN_ANSWERS, AnswerPrecision
from models.learners.calibration import LogitScale, expected_calibration_error, softmax

CLASS_COUNT = 6


def said(rng: random.Random, loudness: float) -> tuple[np.ndarray, int]:
    """Give logits that are true times ``loudness``, and the label."""
    honest = np.array([rng.gauss(0.0, 1.5) for _ in range(CLASS_COUNT)])
    return honest * loudness, rng.choices(range(CLASS_COUNT), softmax(honest).tolist())[0]


def judged(scale: LogitScale, rng: random.Random, count: int, loudness: float) -> float:
    answers = []
    for _ in range(count):
        logits, label = said(rng, loudness)
        shares = softmax(scale.scale * logits)
        best = int(shares.argmax())
        answers.append((float(shares[best]), best == label))
    return expected_calibration_error(answers)


@pytest.mark.parametrize("loudness", [5.0, 0.3])
def test_scale_makes_a_boastful_or_timid_learner_honest(loudness: float) -> None:
    scale, rng = LogitScale(), random.Random(4)
    assert judged(scale, rng, 3_000, loudness) > 0.1
    for _ in range(3_000):
        scale.learn(*said(rng, loudness))
    assert scale.scale == pytest.approx(1.0 / loudness, rel=0.2)
    assert judged(scale, rng, 3_000, loudness) < 0.04


def test_scale_follows_a_learner_that_changes() -> None:
    scale, rng = LogitScale(), random.Random(4)
    for loudness in (1.0, 4.0):
        for _ in range(5_000):
            scale.learn(*said(rng, loudness))
        assert scale.scale == pytest.approx(1.0 / loudness, rel=0.25)


def test_scale_weighs_lessons_by_what_they_stand_for() -> None:
    once, often, never = (LogitScale() for _ in range(3))
    rng = random.Random(2)
    for step in range(2_000):
        loud = step % 2 == 1
        logits, label = said(rng, 1.0)
        label = rng.randrange(CLASS_COUNT) if loud else label
        once.learn(logits, label)
        often.learn(logits, label, 9.0 if loud else 1.0)
        never.learn(logits, label, 0.0)
    assert often.scale < 0.6 * once.scale
    assert never.scale == 1.0


@given(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), st.floats(0.0, 1e6))
def test_scale_stays_positive_and_finite(logits: list[float], w: float) -> None:
    scale = LogitScale()
    for column in (0, 1, 2, 0):
        scale.learn(np.array(logits), column, w)
        assert 0.0 < scale.scale < 100.0


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    assert expected_calibration_error([]) == 0.0
    assert expected_calibration_error([(0.9, True), (0.9, False)]) == pytest.approx(0.4)
    # One bin in which the answers are too modest does not make up for another.
    assert expected_calibration_error([(0.9, False), (0.1, True)]) == pytest.approx(0.9)
    assert expected_calibration_error([(1.0, True), (0.0, False)]) == 0.0


def answer(rng: random.Random) -> tuple[float, bool]:
    """Give a confidence, and whether it was right: less often than it says."""
    confidence = rng.random()
    return confidence, rng.random() < confidence**1.5


@pytest.mark.parametrize("precision", [0.6, 0.8, 0.9])
def test_precision_holds_above_the_confidence_given(precision: float) -> None:
    kept, rng = AnswerPrecision(), random.Random(8)
    for _ in range(6_000):
        kept.learn(*answer(rng))
    threshold = kept.confidence_for(precision)
    assert threshold is not None
    above = [right for confidence, right in map(answer, [rng] * 20_000) if confidence >= threshold]
    assert precision - 0.02 <= sum(above) / len(above) <= precision + 0.05


def test_precision_is_unknown_until_enough_answers_were_right() -> None:
    kept = AnswerPrecision()
    assert kept.confidence_for(0.0) is None
    for _ in range(40):
        kept.learn(0.5, False)
    for _ in range(int(MIN_ANSWERS)):
        assert kept.confidence_for(0.9) is None
        kept.learn(0.8, True)
    kept.learn(0.8, True)
    threshold = kept.confidence_for(0.9)
    assert threshold is not None
    assert 0.5 < threshold <= 0.8
    for _ in range(50):
        kept.learn(0.95, False)
    assert kept.confidence_for(0.9) is None


def test_precision_counts_answers_by_what_they_stand_for() -> None:
    """Of the doubtful answers all are asked about, of the sure ones a tenth, weighing ten."""
    asked, plain, rng = AnswerPrecision(), AnswerPrecision(), random.Random(3)
    for _ in range(8_000):
        confidence, right = answer(rng)
        if confidence < 0.5:
            asked.learn(confidence, right)
            plain.learn(confidence, right)
        elif rng.random() < 0.1:
            asked.learn(confidence, right, 10.0)
            plain.learn(confidence, right)
    honest, ignorant = asked.confidence_for(0.6), plain.confidence_for(0.6)
    assert honest is not None
    assert ignorant is not None
    above = [right for confidence, right in map(answer, [rng] * 20_000) if confidence >= honest]
    assert sum(above) / len(above) == pytest.approx(0.6, abs=0.05)
    assert ignorant > honest + 0.05


def test_precision_forgets_what_was_long_ago() -> None:
    kept = AnswerPrecision()
    for _ in range(3_000):
        kept.learn(0.9, True)
    assert kept.confidence_for(0.9) is not None
    for _ in range(3_000):
        kept.learn(0.9, False)
    assert kept.confidence_for(0.5) is None


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans(), st.floats(0.0, 100.0))))
def test_precision_asked_higher_gives_no_lower_confidence(
    answers: list[tuple[float, bool, float]],
) -> None:
    kept = AnswerPrecision()
    for _ in range(20):
        for confidence, right, w in answers:
            kept.learn(confidence, right, w)
    found = [kept.confidence_for(precision) for precision in (0.3, 0.6, 0.9)]
    assert sorted(math.inf if each is None else each for each in found) == [
        math.inf if each is None else each for each in found
    ]
