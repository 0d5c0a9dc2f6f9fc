import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.policy import POLICY_V1
from schemas.codec import decode_json
from streams.bench.growth import plan as plans
from streams.bench.growth.classes import examples
from streams.bench.growth.copies import make_store, mark, spread_over
from streams.bench.growth.history import MARK, History, own, slice_of
from streams.bench.growth.lessons import measure_lessons
from streams.bench.growth.plan import LESSON_SHARE, Costs, figure, plan
from streams.bench.growth.rules import measure_rules, with_signals
from streams.bench.growth.soak import Look, report
from streams.bench.growth.state import measure_state
from streams.bench.growth.trend import trend
from streams.desk.store import PartitionStore

COPIES = 7
COSTS = Costs(event_us=400, lesson_us=250, lessons_per_event=0.25)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history") / "past", customers=60, past=600, coming=300)


# -- copies ------------------------------------------------------------------------------------


def test_copies_hold_each_customer_as_often_as_asked(history: History, tmp_path: Path) -> None:
    make_store(history, tmp_path / "store", COPIES)
    store = PartitionStore(tmp_path / "store", read_only=True)
    stored = dict(store.items())
    marked = [(key, value) for key, value in history.items if MARK in key]
    assert len(stored) == len(history.items) + (COPIES - 1) * len(marked)
    for copy in (0, 3, COPIES - 1):
        to = mark(copy)
        for key, value in marked:
            assert stored[key.replace(MARK, to)] == value.replace(MARK, to)
    assert store.position == history.position
    store.close()


def test_a_copy_decides_as_the_original_does(history: History, tmp_path: Path) -> None:
    decisions = []
    for copies, copy in ((1, 0), (COPIES, 5)):
        path = tmp_path / f"store-{copies}"
        make_store(history, path, copies)
        store = PartitionStore(path)
        partition = own(store, history.learners)
        to = mark(copy)
        records = [
            raw._replace(
                key=(raw.key or b"").replace(MARK, to), value=(raw.value or b"").replace(MARK, to)
            )
            for raw in history.coming[:150]
        ]
        part = slice_of(records, partition, history.now_ms)
        decided = partition.decide(part, lambda: history.now_ms, None)
        assert not decided.dead
        found = [decode_json((entry.value or b"").replace(to, MARK)) for entry in decided.entries]
        decisions.append([(each["kind"], each.get("features")) for each in found])
        store.close()
    assert decisions[0] == decisions[1]


def test_events_are_spread_evenly_and_a_subject_stays_together(history: History) -> None:
    spread = spread_over(history.coming, COPIES)
    by_subject, counts = defaultdict(set), defaultdict(int)
    for raw in spread:
        event = decode_json(raw.value or b"")
        assert event["customer_id"].encode() == raw.key
        copy = event["customer_id"][:7]
        assert event["event_id"].startswith(copy)
        counts[copy] += 1
        subject = event.get("ticket_id") or event.get("transaction_id")
        by_subject[subject and subject[7:]].add(copy)
    assert set(counts) == {mark(copy).decode() for copy in range(COPIES)}
    assert max(counts.values()) < 2 * len(spread) / COPIES
    assert all(len(copies) == 1 for subject, copies in by_subject.items() if subject)


def test_more_copies_than_marks_are_refused(history: History, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="from 1 to"):
        make_store(history, tmp_path / "store", 100_001)


# -- the measures, as small as they can be -----------------------------------------------------


def test_state_is_measured_for_each_size(tmp_path: Path) -> None:
    found = measure_state(tmp_path / "state", (1_000, 2_000), rounds=3, slices=1, slice_records=40)
    small, large = found["by_customers"]
    assert (small["customers"], large["customers"]) == (1_000, 2_000)
    assert len(found["ratio_2k_to_1k_spread"]["runs"]) == 3
    assert found["ratio_2k_to_1k"] > 0
    assert large["disk_mb"] > small["disk_mb"]
    assert set(found["state_bytes_per_event"]) >= {"seen", "remembered", "customer"}
    assert not (tmp_path / "state").exists()
    assert json.loads(json.dumps(found)) == found


def test_lessons_are_told_by_kind(tmp_path: Path) -> None:
    found = measure_lessons(tmp_path / "lessons", events=1_500, rounds=3)
    assert {"anomaly", "category"} <= set(found["by_kind"])
    assert 0 < sum(each["share"] for each in found["by_kind"].values()) <= 1.001
    assert found["share_of_core"]["100"] == pytest.approx(found["us"]["median"] / 1e4, abs=2e-3)


def test_rules_are_compared_with_the_first_policy(tmp_path: Path) -> None:
    found = measure_rules(tmp_path / "rules", (8, 50), rounds=3, slice_records=40)
    first, more = found["by_signals"]
    assert first["ratio"]["median"] == 1.0
    assert more["policy_bytes"] > first["policy_bytes"]


@pytest.mark.parametrize("count", [8, 30, 200])
def test_policies_have_the_signals_asked_for(count: int) -> None:
    assert len(with_signals(count).alerts.scorecard.signals) == count
    assert len(POLICY_V1["alerts"]["scorecard"]["signals"]) == 8


def test_every_class_has_an_example() -> None:
    found = list(examples(50, 120))
    assert {label for _, label in found[:50]} == {f"class-{number}" for number in range(50)}
    assert {label for _, label in found} == {f"class-{number}" for number in range(50)}
    assert found == list(examples(50, 120))


# -- trends ------------------------------------------------------------------------------------


@given(st.floats(-100, 100), st.floats(1, 1_000), st.integers(5, 40), st.floats(0.01, 10))
def test_a_line_has_its_slope_and_no_doubt(
    slope: float, level: float, count: int, step: float
) -> None:
    at = [step * number for number in range(count)]
    found = trend(at, [level + slope * each for each in at])
    assert found.slope == pytest.approx(slope, abs=1e-6 * max(1, level) / step)
    assert found.low <= found.slope <= found.high


def test_outliers_make_no_trend() -> None:
    figures = [100.0, 101.0, 99.0, 100.5, 99.5] * 8
    figures[30] = 5_000.0
    found = trend([float(number) for number in range(40)], figures)
    assert found.low <= 0 <= found.high
    assert found.verdict(0.0) == "no growth shown"
    assert found.verdict(1.0) == "flat"


def test_two_points_show_no_trend() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        trend([0.0, 1.0], [1.0, 2.0])


def looks(cpu_growth: float, rss_growth: float) -> list[Look]:
    """An hour, a look a minute; shares by which both grow over it."""
    found, cpu_s = [], 0.0
    for minute in range(61):
        wobble = 1 + 0.01 * (minute % 3 - 1)
        cpu_s += 60 * 300 * 500e-6 * (1 + cpu_growth * minute / 60) * wobble
        rss = 400e6 * (1 + rss_growth * minute / 60) * wobble
        found.append(Look(minute * 60.0, cpu_s, int(rss), minute * 60 * 300, minute, 50.0))
    return found


@pytest.mark.parametrize(("cpu_growth", "rss_growth"), [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3)])
def test_soak_tells_what_grows(cpu_growth: float, rss_growth: float) -> None:
    found = report(looks(cpu_growth, rss_growth))
    assert found["cpu_verdict"] == ("grows" if cpu_growth else "flat")
    assert found["rss_verdict"] == ("grows" if rss_growth else "flat")
    assert found["events_per_s"] == pytest.approx(300)
    assert found["warm_up_minutes"] == 30


def test_soak_takes_a_slower_machine_for_no_growth_of_the_desk() -> None:
    slower = [
        look._replace(reference_us=50.0 * (1 + 0.3 * number / 60))
        for number, look in enumerate(looks(0.3, 0.0))
    ]
    assert report(slower)["cpu_verdict"] == "flat"


# -- plans -------------------------------------------------------------------------------------


def test_lessons_never_take_more_of_a_desk_than_they_may() -> None:
    for load in plans.LOADS_PER_S:
        found = plan(COSTS, load)
        assert found.lesson_core_share <= LESSON_SHARE + 1e-9
        assert found.lessons_per_s == pytest.approx(load * 0.25 * found.taught_share)
    assert plan(COSTS, 300).taught_share == 1.0
    assert plan(COSTS, 300_000).taught_share < 0.02


def test_a_plan_has_cores_for_its_events_and_lessons() -> None:
    for load in plans.LOADS_PER_S:
        found = plan(COSTS, load)
        used = load * COSTS.event_us / 1e6 / found.desks + found.lesson_core_share
        assert used <= plans.USED_SHARE + 1e-9
        assert found.partitions >= found.desks
    assert plan(COSTS, 300_000).desks == pytest.approx(10 * plan(COSTS, 30_000).desks, rel=0.05)


def test_what_was_not_measured_is_left_out() -> None:
    found = plan(COSTS, 3_000)
    assert found.archivers is found.shards is found.brokers is found.state_gb_per_day is None
    assert Costs.of({"desk": {"cpu_us": 500}}) is None


def test_costs_come_from_the_report() -> None:
    found = Costs.of(
        {
            "desk": {"cpu_us": 500.0},
            "lessons": {"us": {"median": 200.0, "min": 1.0}, "per_event": 0.5},
            "archiver": {"cpu_us_per_row": {"median": 15.0}, "rows_per_record": {"median": 2.0}},
        }
    )
    assert found is not None
    assert found.event_us == 400.0
    assert plan(found, 30_000).archivers == 2
    assert figure({"a": "text"}, "a") is None
