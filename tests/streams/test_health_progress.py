"""When a role is stuck, and when it only looks like it."""

from collections.abc import Hashable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.health.progress import ALONE, LONGEST_STEP_S, Part, Progress, Sample, Verdict

PATIENCE_S = 30.0
COUNTS = st.integers(1, 1_000)


def judge(samples: Iterable[Sample], patience_s: float = PATIENCE_S) -> list[Verdict]:
    progress = Progress(patience_s)
    return [progress.judge(sample) for sample in samples]


def sample(
    at_s: float, *parts: tuple[int | None, Hashable], excuse: str | None = None, beat: int = 0
) -> Sample:
    return Sample(
        at_s,
        {"event loop": beat or at_s},
        {number: Part(*part) for number, part in enumerate(parts)},
        excuse,
    )


@given(lag=COUNTS, growth=st.integers(0, 100))
def test_progress_finds_a_role_stuck_that_is_behind_and_does_not_move(
    lag: int, growth: int
) -> None:
    verdicts = judge(sample(second, (lag + growth * second, 7)) for second in range(32))
    assert [each.stuck is not None for each in verdicts] == [False] * 30 + [True] * 2
    assert verdicts[29].stalled_s == 29
    assert f"{lag + growth * 30} records" in str(verdicts[30].stuck)


@given(moves=st.lists(st.integers(1, 29), min_size=1, max_size=10), lags=st.data())
def test_progress_is_content_while_something_moves_in_time(
    moves: list[int], lags: st.DataObject
) -> None:
    marks = [mark for mark, pause in enumerate(moves) for _ in range(pause)]
    samples = [sample(n, (lags.draw(COUNTS), mark)) for n, mark in enumerate(marks)]
    assert not any(each.stuck for each in judge(samples))


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=100))
def test_progress_needs_no_mark_where_less_is_left(lags: list[int]) -> None:
    falling = sorted(set(lags), reverse=True)
    samples = [sample(9 * n, (falling[n // 3], 1)) for n in range(3 * len(falling))]
    assert not any(each.stuck for each in judge(samples))


@given(st.lists(st.integers(0, 3), max_size=60))
def test_progress_is_content_with_whoever_is_not_behind(marks: list[int]) -> None:
    samples = [sample(9 * n, (0, mark), (0, 1)) for n, mark in enumerate(marks)]
    assert not any(each.stuck for each in judge(samples))


def test_progress_excuses_nobody_but_for_as_long_as_the_excuse_holds() -> None:
    excused = [sample(second, (9, 1), excuse="broker away") for second in range(200)]
    after = [sample(200 + second, (9, 1)) for second in range(40)]
    verdicts = judge([*excused, *after])
    assert not any(each.stuck for each in verdicts[:229])
    assert verdicts[-1].stuck


def test_progress_excuses_no_silent_thread() -> None:
    samples = [sample(second, (9, 1), excuse="broker away", beat=5) for second in range(32)]
    verdicts = judge(samples)
    assert verdicts[29].stuck is None
    assert verdicts[29].silent_s == {"event loop": 29}
    assert verdicts[30].stuck == "the event loop has made no turn for 30 s"


def test_progress_waits_longer_for_one_partition_while_others_move() -> None:
    end = int(ALONE * PATIENCE_S)
    verdicts = judge(sample(second, (5, "still"), (5, second)) for second in range(end + 1))
    assert not any(each.stuck for each in verdicts[:end])
    assert "partition 0 is 5 records behind" in str(verdicts[end].stuck)


def test_progress_of_a_finished_partition_does_not_hide_a_takeover_that_hangs() -> None:
    verdicts = judge(sample(second, (None, "folding at 3"), (0, 8)) for second in range(31))
    assert verdicts[30].stuck is not None
    moving = judge(sample(second, (None, f"folding at {second}")) for second in range(100))
    assert not any(each.stuck for each in moving)


def test_progress_starts_anew_with_what_is_newly_assigned() -> None:
    before = [sample(second, (5, 1)) for second in range(25)]
    after = [sample(25 + second, (5, 1), (3, 1)) for second in range(29)]
    assert not any(each.stuck for each in judge([*before, *after]))


@pytest.mark.parametrize("away_s", [60.0, 3_600.0])
def test_progress_does_not_count_time_in_which_the_process_was_stopped(away_s: float) -> None:
    samples = [sample(0, (5, 1), beat=1), sample(away_s, (5, 1), beat=1)]
    stopped, running = judge(samples)
    assert (stopped.stuck, running.stuck) == (None, None)
    assert running.stalled_s == LONGEST_STEP_S
