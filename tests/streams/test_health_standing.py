"""How far behind, and whether ready."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.health.standing import Ends, Standing, lags, unready
from streams.health.waiting import Waiting
from streams.intake.sight import Sight

A, B, FOLLOWED = ("a", 0), ("b", 0), ("lessons", 0)
OFFSETS = st.integers(0, 100)


def sight(**changes: Any) -> Sight:
    return Sight(**({"joined": True, "assigned": frozenset({A, B})} | changes))


def standing(positions: dict[tuple[str, int], int], **changes: Any) -> Standing:
    return Standing(positions, **({"waiting": Waiting()} | changes))


@given(done=OFFSETS, end=OFFSETS)
def test_lag_is_what_stands_behind_the_position(done: int, end: int) -> None:
    found = lags(sight(), standing({A: done, B: end}), Ends({A: end, B: end}))
    assert found == {A: max(0, end - done), B: 0}


def test_lag_counts_no_marker_of_a_transaction_once_everything_is_dealt_with() -> None:
    ends = Ends({A: 11, B: 11})
    seen = sight(read={A: 10, B: 10}, ended={A: 11, B: 11})
    assert lags(seen, standing({A: 10, B: 9}), ends) == {A: 0, B: 2}


def test_lag_of_a_topic_whose_records_have_expired_is_none() -> None:
    seen = sight(read={A: -2, B: -2}, ended={A: 70})
    found = lags(seen, standing({A: -2, B: -2}), Ends({A: 70, B: 70}))
    assert found == {A: 0, B: 70}  # of B the end was not seen yet


def test_lag_is_unknown_without_a_position_or_an_end() -> None:
    assert lags(sight(), standing({A: 1}), Ends({B: 5})) == {A: None, B: None}


def test_lag_includes_what_is_followed_without_the_group() -> None:
    found = lags(
        sight(assigned=frozenset()),
        standing({FOLLOWED: 3, A: 1}, followed=frozenset({FOLLOWED})),
        Ends({FOLLOWED: 8, A: 9}),
    )
    assert found == {FOLLOWED: 5}


ALL_DONE = {A: 1, B: 1}


@pytest.mark.parametrize(
    ("seen", "positions", "ends", "reason"),
    [
        (sight(), ALL_DONE, Ends({}), None),
        (sight(assigned=frozenset()), {}, Ends({}), None),
        (sight(), ALL_DONE, Ends({}, "timed out"), "timed out"),
        (sight(joined=False), ALL_DONE, Ends({}), "member"),
        (sight(), {A: 1}, Ends({}), "1 partitions are not taken over yet: 0"),
    ],
)
def test_ready_says_what_is_missing(
    seen: Sight, positions: dict[tuple[str, int], int], ends: Ends, reason: str | None
) -> None:
    answer = unready(seen, standing(positions), ends)
    assert (answer is None) if reason is None else (answer is not None and reason in answer)


def test_ready_waits_for_whom_the_role_waits() -> None:
    waiting = Waiting()
    waiting.note("warehouse", "refused")
    assert "refused" in str(unready(sight(), standing(ALL_DONE, waiting=waiting), Ends({})))
    waiting.over("warehouse")
    assert unready(sight(), standing(ALL_DONE, waiting=waiting), Ends({})) is None


def test_waiting_is_an_excuse_only_while_it_is_tried_again() -> None:
    now_s = [0.0]
    waiting = Waiting(lambda: now_s[0])
    waiting.note("warehouse", "refused")
    now_s[0] = 31.0
    assert waiting.reason(within_s=30) is None
    assert waiting.reason() == "refused"
    waiting.note("warehouse", "refused again")
    assert waiting.reason(within_s=30) == "refused again"
