import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learners.calibration import expected_calibration_error
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
        label: math.fsum(effect for _, effect in learner.explain_one(text, label, top=2))
        for label in shares
    }
    total = math.fsum(map(math.exp, sums.values()))
    for label, share in shares.items():
        assert math.exp(sums[label]) / total == pytest.approx(share, abs=1e-5)


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


TOPICS = [f"topic{number}" for number in range(8)]


def noisy(rng: random.Random, wrong_share: float) -> tuple[str, str, str]:
    """Give a text, its true label, and the label somebody gave it."""
    topic = rng.randrange(len(TOPICS))
    words = [f"word{topic * 5 + rng.randrange(9)}" for _ in range(5)]
    given_ = rng.choice(TOPICS) if rng.random() < wrong_share else TOPICS[topic]
    return " ".join(words), TOPICS[topic], given_


@pytest.fixture(scope="module")
def doubtful() -> HashedSoftmaxClassifier:
    """Give a learner of texts of which three in ten have a label by chance."""
    learner, rng = HashedSoftmaxClassifier(bits=14), random.Random(6)
    for _ in range(3_000):
        text, _, label = noisy(rng, 0.3)
        learner.learn_one(text, label)
    return learner


def answers(
    learner: HashedSoftmaxClassifier, wrong_share: float, count: int
) -> list[tuple[float, bool]]:
    rng, found = random.Random(7), []
    for _ in range(count):
        text, _, label = noisy(rng, wrong_share)
        shares = learner.predict_proba_one(text)
        best = max(shares, key=shares.__getitem__)
        found.append((shares[best], best == label))
    return found


def vague(rng: random.Random) -> tuple[str, str]:
    """Give a text of which a quarter of the words are of its topic, and the topic."""
    topic = rng.randrange(8)
    places = [topic if rng.random() < 0.25 else rng.randrange(8) for _ in range(6)]
    return " ".join(f"{place}word{rng.randrange(30)}" for place in places), TOPICS[topic]


def test_classifier_knows_how_sure_it_is() -> None:
    learner, rng = HashedSoftmaxClassifier(bits=14), random.Random(6)
    for _ in range(2_500):
        learner.learn_one(*vague(rng))
    found = []
    for text, label in (vague(rng) for _ in range(2_000)):
        shares = learner.predict_proba_one(text)
        best = max(shares, key=shares.__getitem__)
        found.append((shares[best], best == label))
    assert sum(right for _, right in found) > 0.45 * len(found)
    # .16 without the scale that is learned
    assert expected_calibration_error(found) < 0.07


def test_classifier_names_the_confidence_that_holds_a_precision(
    doubtful: HashedSoftmaxClassifier,
) -> None:
    assert doubtful.confidence_for(0.99) is None
    assert HashedSoftmaxClassifier().confidence_for(0.5) is None
    every = answers(doubtful, 0.3, 3_000)
    usual = sum(right for _, right in every) / len(every)
    threshold = doubtful.confidence_for(usual + 0.04)
    assert threshold is not None
    above = [right for confidence, right in every if confidence >= threshold]
    assert 0.2 * len(every) < len(above) < len(every)
    assert sum(above) / len(above) == pytest.approx(usual + 0.04, abs=0.03)


def test_classifier_is_not_led_by_wrong_labels(doubtful: HashedSoftmaxClassifier) -> None:
    rng = random.Random(8)
    texts = [noisy(rng, 0.0) for _ in range(500)]
    assert sum(doubtful.predict_one(text) == true for text, true, _ in texts) > 440


def test_classifier_replays_no_more_what_stays_wrong() -> None:
    learner = HashedSoftmaxClassifier(bits=12)
    for step in range(400):
        learner.learn_one("the same text", "odd" if step % 5 == 0 else "usual")
    odd = learner.labels.index("odd")
    misses = {m.miss_count for m in learner._reservoir._kept if m.column == odd}
    assert max(misses) == 2
    assert learner.predict_proba_one("the same text")["usual"] > 0.7


def test_classifier_weight_of_a_lesson_touches_confidence_only() -> None:
    light, heavy = HashedSoftmaxClassifier(bits=12), HashedSoftmaxClassifier(bits=12)
    rng = random.Random(3)
    for _ in range(600):
        text, _, label = noisy(rng, 0.3)
        light.learn_one(text, label, 0.0)
        heavy.learn_one(text, label, 3.0)
    assert light.confidence_for(0.1) is None
    assert heavy.confidence_for(0.1) is not None
    one, other = light.predict_proba_one(text), heavy.predict_proba_one(text)
    assert sorted(one, key=one.__getitem__) == sorted(other, key=other.__getitem__)
    assert one != other
    assert light.digest() != heavy.digest()


def test_classifier_with_classes_in_sequence_still_uses_both_learners() -> None:
    """While one class comes at a time every answer is right: no reason to trust the latest."""
    learner = HashedSoftmaxClassifier(bits=14, replay=0)
    for topic in range(8):
        rng = random.Random(topic)
        for _ in range(60):
            words = " ".join(f"word{topic * 5 + rng.randrange(9)}" for _ in range(5))
            learner.learn_one(words, TOPICS[topic])
    rng = random.Random(9)
    texts = [noisy(rng, 0.0) for _ in range(400)]
    assert sum(learner.predict_one(text) == true for text, true, _ in texts) > 280


def test_classifier_ranks_the_classes_it_would_give_probabilities() -> None:
    learner = HashedSoftmaxClassifier(bits=10)
    for label in ("d", "b", "a", "c", "e"):
        learner.learn_one(f"only {label} here", label)
    text = "only a here or b"
    shares = learner.predict_proba_one(text)
    every = sorted(shares.items(), key=lambda share: (-share[1], share[0]))
    for count in (1, 2, 5, 9):
        assert learner.rank_one(text, count) == every[:count]
    assert HashedSoftmaxClassifier(bits=10).rank_one(text, 3) == []


def test_classifier_does_not_replay_what_was_corrected() -> None:
    learner = HashedSoftmaxClassifier(bits=12, replay=3)
    for number in range(20):
        learner.learn_one(f"payment number {number} failed", "failed", lesson_id=f"f{number}")
    learner.learn_one("my card is lost", "failed", lesson_id="wrong")
    learner.learn_one("my card is lost", "lost", lesson_id="right", corrects="wrong")
    for number in range(60):
        learner.learn_one(f"payment number {number} failed", "failed", lesson_id=f"g{number}")
    assert learner.predict_proba_one("my card is lost")["lost"] > 0.5
