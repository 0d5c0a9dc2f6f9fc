import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.asking import Asked, AskMode, AskRules, decide_asking, fold_asking, margin_of
from models.state import Value
from schemas.codec import decode_json, encode

Margins = Callable[[int, random.Random], float | None]

MARGINS: dict[str, Margins] = {
    "even": lambda at, draw: draw.random(),
    "all equal": lambda at, draw: 0.5,
    "no classes yet": lambda at, draw: None,
    "sinking": lambda at, draw: draw.random() * (1.0 - at / 10_000.0),
    "rising": lambda at, draw: min(1.0, draw.random() * at / 2_000.0),
    "jumping": lambda at, draw: (at // 400 % 2) * 0.5 + draw.random() * 0.3,
    "always lower than before": lambda at, draw: 1.0 / (1.0 + at),
    "always higher than before": lambda at, draw: 1.0 - 1.0 / (1.0 + at),
}
LABELS_OFF = 21
"""What the budget may be off by at any moment: patience, and the label that is drawn."""


@pytest.mark.parametrize("name", MARGINS)
@pytest.mark.parametrize("mode", ["margin", "random"])
def test_asking_holds_its_budget_at_every_moment(name: str, mode: AskMode) -> None:
    for share in (0.02, 0.3, 0.9):
        draw = random.Random(f"{name}/{share}")
        rules = AskRules(share, mode)
        asking: Value | None = None
        asked_count = 0
        for at in range(2_100):
            margin = MARGINS[name](at, draw)
            asked = decide_asking(asking, margin, f"t{at}", rules)
            asking = fold_asking(asking, margin, asked.asked, share)
            asked_count += asked.asked
            assert abs(asked_count - share * (at + 1)) <= LABELS_OFF
        assert abs(asked_count / 2_100 - share) < 0.01


def test_asking_prefers_low_margins_and_leaves_every_ticket_a_chance() -> None:
    draw = random.Random(5)
    rules = AskRules(0.3)
    asking: Value | None = None
    low: list[Asked] = []
    high: list[Asked] = []
    for at in range(5_000):
        margin = draw.random()
        asked = decide_asking(asking, margin, f"t{at}", rules)
        asking = fold_asking(asking, margin, asked.asked, rules.share)
        assert rules.floor * rules.share <= asked.propensity <= 1.0
        if at > 500:
            (low if margin < 0.2 else high if margin > 0.7 else []).append(asked)
    assert sum(each.asked for each in low) > 0.95 * len(low)
    assert 0.01 < sum(each.asked for each in high) / len(high) < 0.05
    assert {each.reason for each in high if each.asked} == {"exploration"}


def test_asking_at_random_does_not_look_at_the_margin() -> None:
    rules = AskRules(0.3, "random")
    asking = fold_asking(None, 0.9, False, 0.3)
    chances = {decide_asking(asking, m, f"t{m}", rules).propensity for m in (None, 0.0, 0.9)}
    assert len(chances) == 1


def test_asking_everything_or_nothing() -> None:
    asking: Value | None = None
    for at in range(200):
        assert decide_asking(asking, 0.5, f"t{at}", AskRules(1.0))[:2] == (True, 1.0)
        assert decide_asking(asking, 0.5, f"t{at}", AskRules(0.0)) == (False, 0.0, None)
        asking = fold_asking(asking, 0.5, True, 1.0)


def _estimates(seed: int) -> tuple[float, float, float]:
    """Play a stream where sure tickets are mostly right; give accuracy, weighted and plain."""
    draw = random.Random(seed)
    rules = AskRules(0.3)
    asking: Value | None = None
    right_count = asked_count = 0
    weighted = plain = 0.0
    for at in range(400):
        margin = draw.random() * min(1.0, 0.3 + at / 400.0)
        right = draw.random() < 0.3 + 0.7 * margin
        asked = decide_asking(asking, margin, f"{seed}/{at}", rules)
        asking = fold_asking(asking, margin, asked.asked, rules.share)
        right_count += right
        if asked.asked:
            asked_count += 1
            weighted += right / asked.propensity
            plain += right
    return right_count / 400, weighted / 400, plain / asked_count


def test_propensities_make_estimates_unbiased_where_the_plain_mean_is_not() -> None:
    played = [_estimates(seed) for seed in range(400)]
    errors = [weighted - truth for truth, weighted, _ in played]
    mean = sum(errors) / len(errors)
    spread = math.sqrt(sum((error - mean) ** 2 for error in errors) / len(errors))
    assert abs(mean) < 3.0 * spread / math.sqrt(len(errors)) < 0.03
    assert sum(plain - truth for truth, _, plain in played) / len(played) < -0.1


def test_draws_come_as_often_as_their_propensity_says() -> None:
    """Given what came before: of many ids, the share that is asked about is the propensity."""
    draw = random.Random(9)
    asking: Value | None = None
    for at in range(300):
        asking = fold_asking(asking, draw.random(), at % 3 == 0, 0.3)
    for margin in (0.1, 0.29, 0.3, 0.31, 0.8):
        asked = [decide_asking(asking, margin, f"t{i}", AskRules(0.3)) for i in range(4_000)]
        (propensity,) = {each.propensity for each in asked}
        spread = math.sqrt(propensity * (1.0 - propensity) / 4_000)
        assert abs(sum(each.asked for each in asked) / 4_000 - propensity) <= 4.0 * spread


def test_another_budget_is_counted_from_its_first_ticket() -> None:
    asking: Value | None = None
    for _ in range(1_000):
        asking = fold_asking(asking, 0.5, True, 1.0)
    assert decide_asking(asking, None, "t", AskRules(0.3, "random")).propensity == 0.3
    asking = fold_asking(asking, 0.5, False, 0.3)
    assert (asking["seen"], asking["asked"], asking["share"]) == (1, 0, 0.3)
    assert asking["total"] > 500.0  # which margins are usual is still known


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.none() | st.floats(0.0, 1.0), st.booleans()), max_size=30),
    st.none() | st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.floats(0.01, 1.0),
    st.floats(0.0, 0.5),
)
def test_asking_is_a_fold_of_plain_values_with_a_chance_for_every_ticket(
    past: list[tuple[float | None, bool]],
    margin: float | None,
    share: float,
    floor: float,
    softness: float,
) -> None:
    asking: Value | None = None
    for before, asked in past:
        asking = fold_asking(asking, before, asked, share)
    rules = AskRules(share, "margin", floor, softness)
    made = decide_asking(asking, margin, "t", rules)
    again = None if asking is None else decode_json(encode(dict(asking)))
    assert decide_asking(again, margin, "t", rules) == made
    assert (made.propensity > 0.0) == (share > 0.0)
    assert made.propensity <= 1.0
    assert made.asked == (made.reason is not None)


def test_softness_asks_as_much() -> None:
    asking: Value | None = None
    draw = random.Random(3)
    for at in range(2_000):
        asking = fold_asking(asking, draw.random(), at % 10 < 3, 0.3)
    for softness in (0.0, 0.1, 0.3, 1.0):
        rules = AskRules(0.3, softness=softness)
        chances = [decide_asking(asking, at / 999, "t", rules).propensity for at in range(1_000)]
        assert chances == sorted(chances, reverse=True)
        assert sum(chances) / 1_000 == pytest.approx(0.3, abs=0.02)


def test_margin_of_fewer_than_two_classes_is_unknown() -> None:
    assert margin_of([]) is None
    assert margin_of([{"label": "a", "probability": 1.0}]) is None
