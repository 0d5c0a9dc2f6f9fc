import pickle

from models.knowledge import DAY_MS, LABELS, Knowledge


def taught(labels: range, knowledge: Knowledge) -> Knowledge:
    for number in labels:
        knowledge.learn(
            "t", f"terminal{number % 7}", f"s{number % 50}", number % 3 == 0, number, 2 * number
        )
    return knowledge


def test_pickled_knowledge_is_the_same_and_learns_on_the_same() -> None:
    whole = taught(range(LABELS * 12), Knowledge(terminals=5))
    copy = pickle.loads(pickle.dumps(whole))
    assert copy.digest() == whole.digest()
    for as_of_ms in (0, 100, 400, 10**6):
        for number in range(7):
            where = ("t", f"terminal{number}", as_of_ms)
            assert copy.facts(*where) == whole.facts(*where)
    more = range(LABELS * 12, LABELS * 13)
    assert taught(more, copy).digest() == taught(more, whole).digest()


def test_run_of_frauds_says_since_when_and_how_large() -> None:
    knowledge = Knowledge()
    days = [0, 10, 20, 21, 22]
    for at, fraud, ratio in zip(
        days, [True, False, True, True, True], [0.2, 1.0, 5.0, 0.9, None], strict=True
    ):
        knowledge.learn("t", "x", f"s{at}", fraud, at * DAY_MS, at * DAY_MS, amount_ratio=ratio)
    facts = knowledge.facts("t", "x", 30 * DAY_MS)
    assert (facts.fraud_run, facts.run_first_ms, facts.run_ratio) == (3, 20 * DAY_MS, 0.9)
    assert (facts.fraud_count, facts.first_fraud_ms) == (4, 0)
    knowledge.learn("t", "x", "s23", False, 23 * DAY_MS, 24 * DAY_MS, amount_ratio=1.0)
    facts = knowledge.facts("t", "x", 30 * DAY_MS)
    assert (facts.fraud_run, facts.run_first_ms, facts.run_ratio) == (0, None, None)


def test_sampled_labels_count_for_those_left_out() -> None:
    knowledge = Knowledge()
    for day in range(14):
        fraud = day >= 12
        knowledge.learn(
            "t", "x", f"s{day}", fraud, day * DAY_MS, day * DAY_MS, 1.0 if fraud else 0.5
        )
    facts = knowledge.facts("t", "x", 30 * DAY_MS)
    assert facts.fraud_share_7d == 2 / (2 + 2 * 5)
    assert facts.fraud_share_30d == 2 / (2 + 2 * 12)
    assert facts.per_day == (2 + 2 * 12) / 13
