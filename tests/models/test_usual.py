import pickle

from models.usual import DAY_MS, DAYS, ENOUGH, UNKNOWN, Usual


def sample(usual: Usual, day: int, amount: float, count: int = ENOUGH, tenant: str = "t") -> None:
    for _ in range(count):
        usual.learn(tenant, {"amount": amount, "amount_ratio": amount / 10}, day * DAY_MS + 5)


def test_usual_is_what_the_days_before_held() -> None:
    usual = Usual()
    sample(usual, 1, 20.0)
    assert usual.facts("t", 2 * DAY_MS - 1) == UNKNOWN
    assert usual.facts("t", 2 * DAY_MS) == (20.0, 2.0)
    sample(usual, 2, 40.0)
    assert usual.facts("t", 3 * DAY_MS - 1) == (20.0, 2.0)
    assert usual.facts("t", 3 * DAY_MS) == (40.0, 4.0)
    assert usual.facts("t", 2 * DAY_MS) == (20.0, 2.0)
    assert usual.facts("other", 3 * DAY_MS) == UNKNOWN


def test_usual_takes_as_many_days_as_it_needs_and_a_late_sample_counts() -> None:
    usual = Usual()
    sample(usual, 1, 10.0, ENOUGH // 2)
    assert usual.facts("t", 4 * DAY_MS) == UNKNOWN
    sample(usual, 3, 20.0, ENOUGH // 2)
    assert usual.facts("t", 4 * DAY_MS) == (15.0, 1.5)
    sample(usual, 2, 90.0, ENOUGH // 2)
    assert usual.facts("t", 4 * DAY_MS) == (55.0, 5.5)


def test_one_huge_payment_does_not_move_a_day() -> None:
    usual = Usual()
    sample(usual, 1, 20.0)
    sample(usual, 2, 20.0)
    usual.learn("t", {"amount": 1e12, "amount_ratio": 1e11}, 2 * DAY_MS)
    amount, ratio = usual.facts("t", 3 * DAY_MS)
    assert amount == (ENOUGH * 20.0 + 200.0) / (ENOUGH + 1)
    assert ratio == (ENOUGH * 2.0 + 10.0) / (ENOUGH + 1)


def test_usual_is_bounded_and_pickles_with_its_future() -> None:
    usual = Usual()
    for day in range(3 * DAYS):
        sample(usual, day, 1.0 + day, 2)
    before = usual.digest()
    sample(usual, 0, 5.0)
    assert usual.digest() == before
    copy = pickle.loads(pickle.dumps(usual))
    for each in (usual, copy):
        sample(each, 3 * DAYS, 7.0, 3)
    assert copy.digest() == usual.digest() != before
    assert copy.facts("t", 4 * DAYS * DAY_MS) == usual.facts("t", 4 * DAYS * DAY_MS)
