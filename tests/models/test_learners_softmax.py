import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learners.softmax import BIAS, REST, HashedSoftmaxClassifier
from models.learners.text import hash_text

INTENTS = {
    "lost": ["I lost my card", "my card is lost", "card gone missing", "我的卡丢了"],
    "refund": ["where is my refund", "refund not arrived", "money back please", "退款还没到账"],
    "pin": ["forgot my pin", "pin is blocked", "change the pin please", "密码忘记了"],
}


@pytest.fixture(scope="module")
def learner() -> HashedSoftmaxClassifier:
    learner = HashedSoftmaxClassifier(bits=12)
    rng = random.Random(1)
    for _ in range(150):
        label = rng.choice(sorted(INTENTS))
        learner.learn_one(rng.choice(INTENTS[label]), label)
    return learner


@pytest.mark.parametrize(
    ("text", "label"), [("lost the card!", "lost"), ("REFUND?", "refund"), ("我的卡不见了", "lost")]
)
def test_classifier_generalises(learner: HashedSoftmaxClassifier, text: str, label: str) -> None:
    assert learner.predict_one(text) == label


def test_classifier_probabilities_sum_to_one(learner: HashedSoftmaxClassifier) -> None:
    shares = learner.predict_proba_one("hello")
    assert sum(shares.values()) == pytest.approx(1.0)
    assert sorted(shares) == sorted(INTENTS)


def test_classifier_without_classes_answers_nothing() -> None:
    empty = HashedSoftmaxClassifier(bits=8)
    assert empty.predict_proba_one("card") == {}
    assert empty.predict_one("card") is None
    assert empty.explain_one("card", "lost") == []


def test_classifier_answers_the_same_to_hashed_text(learner: HashedSoftmaxClassifier) -> None:
    text = "please change my pin"
    hashed = hash_text(text, 12)
    assert learner.predict_proba_one(hashed) == learner.predict_proba_one(text)


def test_classifier_refuses_text_hashed_otherwise(learner: HashedSoftmaxClassifier) -> None:
    with pytest.raises(ValueError, match="15 bits"):
        learner.predict_one(hash_text("pin", 15))


SPOKEN = st.lists(st.sampled_from(["lost", "card", "退款", "pin"])).map(" ".join)


@given(st.text(max_size=80) | SPOKEN)
def test_classifier_explanations_add_up_to_the_odds(text: str) -> None:
    learner = HashedSoftmaxClassifier(bits=8, learning_rate=1.0)
    for label, texts in INTENTS.items():
        for each in texts:
            learner.learn_one(each, label)
    shares = learner.predict_proba_one(text)
    sums = {
        label: sum(effect for _, effect in learner.explain_one(text, label, top=2))
        for label in shares
    }
    assert sums["lost"] - sums["pin"] == pytest.approx(
        math.log(shares["lost"] / shares["pin"]), abs=1e-4
    )


def test_classifier_explains_with_the_words_that_matter(learner: HashedSoftmaxClassifier) -> None:
    parts = learner.explain_one("hello, my refund", "refund", top=1)
    assert parts[0][0] == "refund"
    assert [name for name, _ in parts[1:]] == [REST, BIAS]
    names = [name for name, _ in learner.explain_one("hello, my refund", "refund", top=None)]
    assert names[-2:] == [REST, BIAS]
    assert {"hello", "my", "refund", "my refund", "hello my"} == set(names[:-2])


def test_classifier_keeps_old_classes_while_new_ones_arrive() -> None:
    learner = HashedSoftmaxClassifier(bits=12, replay=3)
    for label, texts in INTENTS.items():
        for _ in range(20):
            for each in texts:
                learner.learn_one(each, label)
    for label, texts in INTENTS.items():
        assert [learner.predict_one(each) for each in texts] == [label] * len(texts)


def test_classifier_refuses_more_classes_than_it_may_hold() -> None:
    learner = HashedSoftmaxClassifier(bits=8, max_classes=5)
    for number in range(9):
        learner.learn_one(f"text {number}", f"class {number}")
    assert learner.labels == tuple(f"class {number}" for number in range(5))
    assert learner.lesson_count == 5
