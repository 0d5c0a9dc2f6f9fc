import pytest

from streams.chaos import rest
from streams.chaos.observer import Recovery
from streams.chaos.pauses import Decided, longest_wait_s

PLACE, OTHER = ("t", 0), ("t", 1)


def recovery() -> Recovery:
    return Recovery(
        "broker_killed",
        1,
        ended_s=10.0,
        waiting={"desk": {PLACE: (5, 9), OTHER: (3, 3)}, "publisher": {PLACE: (2, 4)}},
        behind={"desk": {PLACE: (5, 9), OTHER: (3, 3)}, "publisher": {PLACE: (2, 4)}},
    )


def test_recovery_is_timed_until_every_role_has_dealt_with_what_stood_there() -> None:
    back = recovery()
    back.look({"desk": {PLACE: 6, OTHER: 3}, "publisher": {PLACE: 2}}, 11.0)
    assert (back.moved_s, back.caught_up_s) == (None, None)
    back.look({"desk": {PLACE: 6, OTHER: 3}, "publisher": {PLACE: 3}}, 12.0)
    assert (back.moved_s, back.caught_up_s) == (2.0, None)
    back.look({"desk": {PLACE: 9, OTHER: 3}, "publisher": {PLACE: 3}}, 13.0)
    assert back.caught_up_s is None
    back.look({"desk": {PLACE: 9, OTHER: 3}, "publisher": {PLACE: 4}}, 14.0)
    assert (back.moved_s, back.caught_up_s) == (2.0, 4.0)


@pytest.mark.parametrize(
    ("decided", "longest_s"),
    [
        ([], 0.0),
        ([Decided(1_000, 1_250)], 0.25),
        ([Decided(1_000, 1_010), Decided(1_005, 4_010)], 3.0),  # one waited while none was decided
        ([Decided(1_000, 1_010), Decided(9_000, 9_100)], 0.1),  # nothing waited in between
        ([Decided(1_000, 2_000), Decided(1_000, 3_000), Decided(1_000, 4_000)], 1.0),
    ],
)
def test_pause_counts_only_while_something_waits(decided: list[Decided], longest_s: float) -> None:
    assert longest_wait_s(decided) == longest_s


def test_waiting_for_what_never_comes_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "PATIENCE_S", 0.0)
    assert not rest.comes(lambda: False)
    assert rest.comes(lambda: True)
