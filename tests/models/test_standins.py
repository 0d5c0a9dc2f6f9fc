from memory_desk import Desk, policy_with

from models.learning import Learners
from models.standins import WAITING, Standins


def taken(standins: Standins) -> list[float]:
    return [features["n"] for features in standins.ready()]


def test_standin_waits_for_a_fraud_that_happened_later() -> None:
    standins = Standins()
    for n in range(5):
        standins.add({"n": n}, 1_000 + n * 100)
    assert taken(standins) == []
    standins.fraud_known(1_250)
    assert taken(standins) == [0, 1, 2]
    standins.fraud_known(1_100)
    standins.add({"n": 9}, 50)
    assert taken(standins) == []
    standins.fraud_known(1_400)
    assert taken(standins) == [3, 4, 9]


def test_standins_end_when_honest_ones_are_known() -> None:
    standins = Standins()
    standins.add({"n": 1}, 100)
    standins.honest_known()
    standins.add({"n": 2}, 100)
    standins.fraud_known(500)
    assert taken(standins) == []


def test_standins_are_bounded_and_the_oldest_drop_out() -> None:
    standins = Standins()
    for n in range(WAITING + 3):
        standins.add({"n": n}, n)
    standins.fraud_known(WAITING * 2)
    assert taken(standins) == list(range(3, WAITING + 3))


def test_standins_digest_follows_what_they_hold() -> None:
    one, other = Standins(), Standins()
    one.add({"n": 1}, 100)
    assert one.digest() != other.digest()
    other.add({"n": 1}, 100)
    assert one.digest() == other.digest()
    one.fraud_known(5)
    assert one.digest() != other.digest()


def test_risk_learner_meets_honest_ones_before_any_has_matured() -> None:
    desk = Desk(policy=policy_with(lessons__anomaly_share=0.1))
    for i in range(200):
        desk.transaction(i, 20 + i % 5, customer_id=f"c{i % 9}", transaction_id=f"x{i}")
    sampled = sum(lesson["task"] == "anomaly" for lesson in desk.lessons)
    assert sampled > 5
    assert desk.learners.risk.lesson_count == 0
    desk.feedback(201, "transaction", transaction_id="x199", customer_id="c1", is_fraud=True)
    assert desk.learners.risk.lesson_count == sampled + 1
    assert desk.learners.risk.fraud_count == 1
    again = Learners()
    for lesson in desk.lessons:
        again.learn(lesson)  # type: ignore[arg-type]  # as it lies in the effects
    assert again.content_digest() == desk.learners.content_digest()
