import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import IncompatibleError, MalformedError, RejectedError, UnavailableError
from streams.desk.guard import DeadLetterLimit, Refusal, attempt
from streams.desk.refusals import REMEMBERED, Refusals


def raising(fault: Exception) -> object:
    raise fault


def test_attempt_gives_what_the_work_gives() -> None:
    assert attempt(lambda: "decode", lambda: 5) == 5


@pytest.mark.parametrize("fault", [MalformedError("m"), RejectedError("m"), KeyError("m")])
def test_attempt_refuses_a_record_that_cannot_be_decided(fault: Exception) -> None:
    refusal = attempt(lambda: "decide", lambda: raising(fault))
    assert isinstance(refusal, Refusal)
    assert (refusal.stage, refusal.error) == ("decide", type(fault).__name__)


@pytest.mark.parametrize("fault", [UnavailableError("m"), IncompatibleError("m")])
def test_attempt_never_blames_a_record_for_a_neighbour(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        attempt(lambda: "decide", lambda: raising(fault))


class Verdicts:
    """Notes verdicts as partitions do, each with a fold of its own."""

    def __init__(self, limit: DeadLetterLimit) -> None:
        self.limit = limit
        self.folds: dict[int, Refusals] = {}

    def note(self, refused: bool, partition: int = 0) -> None:
        self.folds[partition] = self.folds.get(partition, Refusals()).after(refused)
        self.limit.note(partition, self.folds[partition])


def test_limit_stops_after_a_run_of_refusals() -> None:
    verdicts = Verdicts(DeadLetterLimit(run=3, window=100, share=0.5))
    for _ in range(3):
        verdicts.note(True)
    with pytest.raises(IncompatibleError):
        verdicts.note(True)


def test_limit_forgets_a_run_at_the_first_good_record() -> None:
    verdicts = Verdicts(DeadLetterLimit(run=3, window=1_000, share=0.9))
    for _ in range(50):
        for refused in (True, True, True, False):
            verdicts.note(refused)


def test_limit_stops_at_a_share_of_the_window() -> None:
    verdicts = Verdicts(DeadLetterLimit(run=100, window=10, share=0.5))
    for refused in [True, False] * 5:
        verdicts.note(refused)
    verdicts.note(True)  # pushes out a refusal: still half
    with pytest.raises(IncompatibleError):
        verdicts.note(True)


def test_limit_is_one_for_all_partitions_of_a_worker() -> None:
    verdicts = Verdicts(DeadLetterLimit(run=3, window=1_000, share=0.9))
    for partition in range(3):
        verdicts.note(True, partition)
    with pytest.raises(IncompatibleError, match="4 records in a row"):
        verdicts.note(True, 3)


def test_limit_sees_one_poisoned_partition_among_good_ones() -> None:
    verdicts = Verdicts(DeadLetterLimit(run=3, window=1_000, share=0.9))
    for _ in range(3):
        verdicts.note(True, 0)
        verdicts.note(False, 1)
    with pytest.raises(IncompatibleError):
        verdicts.note(True, 0)


def test_limit_counts_the_share_over_all_partitions_together() -> None:
    verdicts = Verdicts(DeadLetterLimit(run=100, window=40, share=0.5))
    for refused in (True, False) * 5:
        for partition in range(4):
            verdicts.note(refused, partition)
    verdicts.note(True, 0)  # its window pushes out a refusal: still half
    with pytest.raises(IncompatibleError, match="and 21 of the last 40 "):
        verdicts.note(True, 0)


def test_limit_goes_on_where_the_folds_stand_and_leaves_what_went_away() -> None:
    limit = DeadLetterLimit(run=3, window=1_000, share=0.9)
    three = Refusals().after(True).after(True).after(True)
    limit.know(0, three)
    limit.know(1, three)
    limit.forget(0)
    limit.know(1, Refusals())
    limit.note(1, Refusals().after(True))
    limit.know(0, three)
    with pytest.raises(IncompatibleError):
        limit.note(0, three.after(True))


@given(st.lists(st.booleans(), max_size=200), st.integers(0, 250))
def test_refusals_count_the_newest_and_come_back_from_text(seen: list[bool], newest: int) -> None:
    refusals = Refusals()
    for refused in seen:
        refusals = refusals.after(refused)
    assert refusals.count(newest) == sum(seen[len(seen) - min(newest, len(seen)) :])
    assert refusals.run == next((n for n, good in enumerate(reversed(seen)) if not good), len(seen))
    assert Refusals.from_token(refusals.token()) == refusals


def test_refusals_remember_no_more_than_they_promise() -> None:
    refusals = Refusals().after(True)
    for _ in range(REMEMBERED - 1):
        refusals = refusals.after(False)
    assert refusals.count(REMEMBERED) == 1
    assert refusals.after(False) == Refusals()


@pytest.mark.parametrize("token", ["", "1", "x:1", "1:", "1:g"])
def test_refusals_are_not_read_from_other_text(token: str) -> None:
    with pytest.raises(MalformedError):
        Refusals.from_token(token)
