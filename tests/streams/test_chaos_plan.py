from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streams.chaos.faults import BY_KIND, FAULTS
from streams.chaos.plan import draw

TARGETS = frozenset(fault.target for fault in FAULTS)


@given(
    seed=st.integers(0, 1_000),
    fault_count=st.integers(0, 90),
    events=st.integers(100, 100_000),
    targets=st.frozensets(st.sampled_from(sorted(TARGETS)), min_size=1),
)
def test_plan_takes_every_kind_before_any_again(
    seed: int, fault_count: int, events: int, targets: frozenset[str]
) -> None:
    plan = draw(seed, fault_count, events, targets)  # type: ignore[arg-type]
    counts = Counter(strike.fault.kind for strike in plan)
    possible = [fault for fault in FAULTS if fault.target in targets]
    assert len(plan) == fault_count
    assert set(counts) <= {fault.kind for fault in possible}
    most, least = max(counts.values(), default=0), fault_count // len(possible)
    assert most <= least + 1
    assert all(counts[fault.kind] >= least for fault in possible)
    assert [strike.at_event for strike in plan] == sorted(strike.at_event for strike in plan)
    assert all(events // 20 <= strike.at_event < events for strike in plan)
    for strike in plan:
        shortest, longest = strike.fault.hold_s
        assert shortest <= strike.hold_s <= longest


def test_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert draw(7, 40, 100_000, TARGETS) == draw(7, 40, 100_000, TARGETS)
    assert draw(7, 40, 100_000, TARGETS) != draw(8, 40, 100_000, TARGETS)


def test_every_kind_is_named_once() -> None:
    assert len(BY_KIND) == len(FAULTS)
