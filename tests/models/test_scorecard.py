import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.catalogue import TRANSACTION_FEATURES
from models.policy import POLICY_V1, Policy
from models.scorecard import BASE

CARD = Policy.from_content(POLICY_V1).alerts.scorecard
PLAIN = {"amount": 20.0, "count_30d": 12.0, "amount_ratio": 1.0}

amounts = st.floats(0.01, 1e9)


def log_odds(**features: float) -> float:
    return math.fsum(CARD.explain_one({**PLAIN, **features}).values())


@given(amounts, amounts)
def test_scorecard_never_puts_a_smaller_amount_above_a_larger_one(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert log_odds(amount=low) <= log_odds(amount=high)
    if high > low * 1.001 and high > 1.0:
        assert log_odds(amount=low) < log_odds(amount=high)


@given(st.floats(0.0, 1e12), st.floats(0.0, 1e6), st.integers(0, 1_000))
def test_scorecard_stays_finite(amount: float, ratio: float, count: int) -> None:
    assert math.isfinite(log_odds(amount=amount, amount_ratio=ratio, count_30d=count))


def test_scorecard_needs_a_habit_before_a_ratio_is_unusual() -> None:
    stranger = log_odds(amount_ratio=8.0, count_30d=1.0)
    regular = log_odds(amount_ratio=8.0, count_30d=60.0)
    assert stranger == pytest.approx(log_odds())
    assert regular > stranger + 0.5
    assert log_odds(amount_ratio=0.1, count_30d=60.0) == pytest.approx(log_odds())


@pytest.mark.parametrize("name", sorted(CARD.signals))
def test_scorecard_counts_a_signal_from_its_beginning_up_to_its_limit(name: str) -> None:
    weight, beyond, at_most = CARD.signals[name]
    assert log_odds(**{name: beyond}) == pytest.approx(log_odds())
    assert log_odds(**{name: beyond + at_most}) == pytest.approx(log_odds() + weight * at_most)
    assert log_odds(**{name: beyond + at_most + 9}) == pytest.approx(log_odds() + weight * at_most)


def test_scorecard_names_what_it_counted() -> None:
    parts = CARD.explain_one({**PLAIN, "new_device": 1.0, "night": 1.0})
    assert list(parts) == [BASE, "amount", "new_device"]


def test_scorecard_of_the_first_policy_looks_at_features_that_exist() -> None:
    assert set(CARD.signals) <= {feature.name for feature in TRANSACTION_FEATURES}
