import pickle

from models.knowledge import LABELS, Knowledge


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
