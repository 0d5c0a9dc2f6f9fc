"""What nobody should teach: refused with a clear error, or survived without a trace of NaN."""

import math
import random
from typing import Any

import numpy as np
import orjson
import pytest
from learner_cases import CASES, taught
from learner_graph import reachable
from learner_streams import lesson, payment, ticket
from test_learners_conformance import FEATURES, numbers_in

from models.learning import Learners
from schemas.codec import chain

TEXTS = [name for name in CASES if CASES[name].kind == "text"]

NUMBERS = {
    "nan": math.nan, "inf": math.inf, "-inf": -math.inf, "None": None, "1e308": 1e308,
    "-1e308": -1e308, "10**400": 10**400, "-10**400": -(10**400), "2**63": 2**63, "-0": -0.0,
    "smallest": 5e-324, "True": True, "numpy": np.float32(3.4e38),
}  # fmt: skip
NO_NUMBERS = ["text", "1.5", b"1", [1.0], {}, 1 + 2j]
TEXT = {
    "empty": "", "blank": " \t\n", "punctuation": "…?!—、。！", "null": "\x00\x00",
    "lone surrogate": "card \ud800\udfff \udc00", "emoji": "🙂👨‍👩‍👧‍👦🏳️‍🌈" * 50,
    "right to left": "أين بطاقتي؟ הכרטיס שלי", "override": "\u202ecard\u202c",
    "1 MB": "card " * 200_000, "1 MB word": "a" * 10**6, "1 MB Chinese": "字" * 10**6,
    "ligature": "ﷺ" * 5_000, "combining": "e" + "\u0301" * 10_000,
    "grows when lowered": "İ" * 5_000, "digits": "9" * 5_000,
}  # fmt: skip


def no_nan_in(learner: Any) -> bool:
    """Tell whether no number that can be reached from a learner is NaN."""
    for part in reachable(learner):
        if isinstance(part, float) and math.isnan(part):
            return False
        if isinstance(part, np.ndarray) and part.dtype.kind == "f" and not np.isfinite(part).all():
            return False
    return True


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("value", NUMBERS.values(), ids=NUMBERS)
def test_learner_survives_a_hostile_number(name: str, value: Any) -> None:
    case, rng = CASES[name], random.Random(5)
    learner = case.make()
    for step in range(150):
        x, fraud = payment(rng)
        case.learn(learner, ({**x, f"f{step % 9}": value}, fraud))
    for _ in range(5):
        x, fraud = payment(rng)
        for asked in (x, {**x, "f5": value}, dict.fromkeys(x, value)):
            answers = numbers_in(case.answer(learner, (asked, fraud)))
            assert answers
            assert all(map(math.isfinite, answers))
    assert no_nan_in(learner)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None], ids=str)
def test_learner_reads_what_is_not_finite_as_missing(name: str, value: Any) -> None:
    case = CASES[name]
    learner = taught(case, 300)
    x, fraud = payment(random.Random(6))
    without = {key: number for key, number in x.items() if key != "f5"}
    expected = case.answer(learner, (without, fraud))
    assert case.answer(learner, (without | {"f5": value}, fraud)) == expected


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_learner_refuses_what_is_no_number_and_learns_nothing_of_it(name: str, value: Any) -> None:
    case = CASES[name]
    learner = taught(case, 100)
    before = case.digest(learner)
    with pytest.raises(TypeError):
        case.answer(learner, ({"f5": value}, True))
    with pytest.raises(TypeError):
        case.learn(learner, ({"f5": value}, True))
    assert case.digest(learner) == before


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, -1.0, 1e308])
def test_weight_that_is_none_is_refused(weight: float) -> None:
    learner = taught(CASES["bins"], 100)
    before = learner.digest()
    with pytest.raises(ValueError, match="weight"):
        learner.learn_one({"f1": 1.0}, True, weight)
    assert learner.digest() == before


@pytest.mark.parametrize("share", [5e-324, 1e-310])
def test_tiny_share_leaves_a_finite_score(share: float) -> None:
    learner = taught(CASES["risk"], 100)
    learner.learn_one({"f1": 1.0}, False, share)
    for _ in range(10):
        learner.learn_one({"f1": 1.0}, False, 1.0)
    assert 0.0 < learner.score_one({"f1": 1.0}) < 1.0
    assert no_nan_in(learner)


@pytest.mark.parametrize("name", FEATURES)
def test_learner_takes_names_of_any_kind(name: str) -> None:
    case, rng = CASES[name], random.Random(5)
    learner = case.make()
    for _ in range(120):
        x, fraud = payment(rng)
        case.learn(learner, ({**x, "": 1.0, "\ud800": 2.0, "名": 3.0, "a" * 10_000: 4.0}, fraud))
    answers = numbers_in(case.answer(learner, ({"": 2.0, "\ud800": 2.0}, True)))
    assert all(map(math.isfinite, answers))
    assert len(case.digest(learner)) == 32


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("text", TEXT.values(), ids=TEXT)
def test_learner_survives_a_hostile_text(name: str, text: str) -> None:
    case = CASES[name]
    learner = taught(case, 60)
    for label in ("lost", "another", "lost"):
        case.learn(learner, (text, label))
    for asked in (text, ticket(random.Random(3))[0]):
        shares, guess, parts = case.answer(learner, (asked, "lost"))
        assert math.fsum(shares.values()) == pytest.approx(1.0, abs=1e-9)
        assert guess in shares
        assert all(math.isfinite(effect) for _, effect in parts)
    assert no_nan_in(learner)
    assert len(case.digest(learner)) == 32


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("label", ["", " ", "\ud800", "卡", "a" * 100_000, "True"])
def test_learner_takes_any_text_as_label(name: str, label: str) -> None:
    case = CASES[name]
    learner = taught(case, 60)
    for _ in range(30):
        case.learn(learner, ("something else", label))
    assert learner.predict_one("something else") == label
    assert len(case.digest(learner)) == 32


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize(("true", "false"), [(np.True_, np.False_), (1, 0)], ids=["numpy", "int"])
def test_learner_takes_what_equals_true_and_false_as_such(name: str, true: Any, false: Any) -> None:
    case, rng = CASES[name], random.Random(5)
    plain, other = case.make(), case.make()
    for _ in range(200):
        x, fraud = payment(rng)
        case.learn(plain, (x, fraud))
        case.learn(other, (x, true if fraud else false))
    x, _ = payment(rng)
    assert case.answer(other, (x, True)) == case.answer(plain, (x, True))
    assert case.digest(other) == case.digest(plain)


# -- lessons as bytes --------------------------------------------------------------------------

POISON: dict[str, dict[str, Any] | bytes] = {
    "no JSON": b"{",
    "no lesson": b"[]",
    "nothing": b"",
    "not UTF-8": b'{"id": "\xff"}',
    "NaN": b'{"features": {"amount": NaN}}',
    "propensity 0": {"propensity": 0.0},
    "propensity below 0": {"propensity": -0.5},
    "propensity above 1": {"propensity": 1.5},
    "propensity nan": {"propensity": "nan"},
    "propensity inf": {"propensity": "inf"},
    "no label's type": {"label": ["x"]},
    "unknown task": {"task": "astrology"},
    "features are text": {"features": {"amount": "much"}},
    "time is a fraction": {"occurred_ms": 1.5},
    "time of 30 digits": {"known_ms": 10**18 * 1.0e12},
    "feature is text": {"features": {"amount": "nan", "f1": "inf"}},
    "feature is a number as text": {"features": {"amount": "1.5"}},
    "score is text": {"scores": {"risk": "nan"}},
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
@pytest.mark.parametrize("what", ["risk", "anomaly"])
def test_poisoned_lesson_is_chained_and_not_learned(
    poison: dict[str, Any] | bytes, what: str
) -> None:
    raw = poison
    if isinstance(poison, dict):
        rng = random.Random(2)
        drawn = lesson(rng)
        while drawn["task"] != what or drawn["label_source"] not in ("implicit", "sample"):
            drawn = lesson(rng)
        raw = orjson.dumps(drawn | poison)
    assert isinstance(raw, bytes)
    learners = Learners()
    before, chained = learners.content_digest(), learners.digest
    learners.fold(raw, 0)
    assert (learners.revision, learners.skipped) == (1, 1)
    assert learners.digest == chain(chained, raw)
    assert learners.content_digest() == before


ODD: dict[str, dict[str, Any]] = {
    "1e308": {"features": {"amount": 1e308, "f1": -1e308}},
    "no features": {"features": {}},
    "10,000 features": {"features": {f"f{i}": 1.0 for i in range(10_000)}},
    "times beyond all clocks": {"occurred_ms": -(2**62), "known_ms": 2**62},
    "known before it happened": {"occurred_ms": 2**41, "known_ms": 0},
    "tiny propensity": {"propensity": 1e-300},
    "scores beyond 1": {"scores": {"risk": 7.0, "anomaly": -7.0, "lost": 1e308}},
    "label of another task": {"label": "yes"},
    "1 MB of text": {"text": "card " * 200_000},
    "no text": {"text": None},
    "empty text": {"text": ""},
    "1 MB of label": {"label": "a" * 10**6},
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_odd_lesson_leaves_learners_that_answer(change: dict[str, Any]) -> None:
    learners, rng = Learners(), random.Random(4)
    case = CASES["learners"]
    for _ in range(150):
        case.learn(learners, lesson(rng))
    for _ in range(20):
        learners.fold(orjson.dumps(lesson(rng) | change), learners.revision)
    for _ in range(150):
        case.learn(learners, lesson(rng))
    assert no_nan_in(learners)
    for _ in range(20):
        given = lesson(rng)
        answers = numbers_in(case.answer(learners, given))
        assert all(map(math.isfinite, answers))
    assert len(learners.content_digest()) == 32
