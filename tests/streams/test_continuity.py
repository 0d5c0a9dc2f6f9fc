import pytest
from confluent_kafka import OFFSET_BEGINNING
from hypothesis import given
from hypothesis import strategies as st

from streams.intake.continuity import Continuity

T0, T1 = ("t", 0), ("u", 0)


def reading(**positions: int) -> Continuity:
    continuity = Continuity()
    continuity.own([("t", 0), ("u", 0), ("t", 1)])
    continuity.start(0, positions)
    continuity.assignment()
    return continuity


def test_take_moves_on_record_by_record() -> None:
    continuity = reading(t=5)
    assert [continuity.take(T0, offset, 1) for offset in (5, 6, 6, 5, 7)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert continuity.positions(0) == {"t": 8, "u": OFFSET_BEGINNING}


def test_take_drops_what_is_not_started() -> None:
    continuity = reading(t=5)
    assert not continuity.take(("t", 1), 0, 1)
    continuity.halt(0)
    assert not continuity.take(T0, 5, 1)
    assert continuity.partitions() == []


@pytest.mark.parametrize("start", [3, OFFSET_BEGINNING])
def test_first_record_that_skips_some_counts_only_when_it_comes_again(start: int) -> None:
    continuity = reading(t=start)
    assert not continuity.take(T0, 10, 1)
    assert not continuity.take(T0, 11, 1)
    assert continuity.moved
    continuity.assignment()
    assert continuity.take(T0, 10, 1)
    assert continuity.take(T0, 11, 1)


@pytest.mark.parametrize("start", [3, OFFSET_BEGINNING])
def test_stale_first_record_cannot_hide_what_was_skipped(start: int) -> None:
    continuity = reading(t=start)
    assert not continuity.take(T0, 10, 1)
    continuity.assignment()
    first = max(start, 0)
    assert continuity.take(T0, first, 1)
    assert continuity.positions(0)["t"] == first + 1


def test_marker_in_the_middle_is_skipped_at_once() -> None:
    continuity = reading(t=0)
    assert continuity.take(T0, 0, 1)
    assert continuity.take(T0, 2, 1)
    assert not continuity.moved


def test_unread_ms_is_unknown_until_every_topic_has_spoken() -> None:
    continuity = reading(t=0, u=0)
    assert continuity.unread_ms(0) == 0
    continuity.take(T0, 0, 500)
    assert continuity.unread_ms(0) == 0
    continuity.take(T1, 0, 300)
    assert continuity.unread_ms(0) == 300
    continuity.end(T1, 1)
    assert continuity.unread_ms(0) == 500
    continuity.end(T0, 1)
    assert continuity.unread_ms(0) is None
    continuity.take(T1, 1, 700)
    assert continuity.unread_ms(0) == 700


def test_rewound_topic_counts_as_unread_again() -> None:
    continuity = reading(t=0, u=0)
    continuity.take(T0, 0, 500)
    continuity.end(T0, 1)
    continuity.end(T1, 0)
    assert continuity.unread_ms(0) is None
    continuity.start(0, {"t": 0, "u": 0})
    continuity.assignment()
    assert continuity.unread_ms(0) == 0


def test_stale_end_is_not_believed_and_a_repeated_one_is() -> None:
    continuity = reading(t=2, u=0)
    continuity.end(T1, 0)
    continuity.end(T0, 9)  # of the assignment before the rewind, or behind markers alone
    assert continuity.unread_ms(0) == 0
    assert continuity.moved
    continuity.assignment()
    continuity.end(T0, 9)
    assert continuity.unread_ms(0) is None


def test_end_does_not_confirm_a_record() -> None:
    continuity = reading(t=2)
    continuity.end(T0, 9)
    continuity.assignment()
    assert not continuity.take(T0, 9, 1)


@given(
    log=st.sets(st.integers(0, 30), min_size=1),
    start=st.integers(0, 30) | st.just(OFFSET_BEGINNING),
    stale=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=4),
)
def test_nothing_is_skipped_whatever_stale_records_come_first(
    log: set[int], start: int, stale: list[tuple[int, int]]
) -> None:
    """Each assignment begins with other stale records, then gives the log from its position."""
    continuity = reading(t=start)
    taken: list[int] = []
    leftovers = iter(sorted(log)[first : first + count] for first, count in stale)
    used: set[int] = set()
    for _ in range(20):
        at = continuity.assignment()[T0]
        run = [offset for offset in next(leftovers, []) if offset not in used]
        used |= set(run)  # the client gives a fetched record once
        given_now = [*run, *sorted(o for o in log if o >= max(at, 0))]
        taken += [offset for offset in given_now if continuity.take(T0, offset, 1)]
        if not continuity.moved:
            break
    assert taken == sorted(o for o in log if o >= max(start, 0))
