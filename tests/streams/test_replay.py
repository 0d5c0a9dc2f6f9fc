from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replay_world import MemoryLogs, World

from models import core
from models.learning import Learners
from schemas.codec import decode_json, encode
from schemas.errors import IncompatibleError
from streams.journal.acceptance import Reading
from streams.journal.reader import Entry
from streams.replay.again import ABSENT, Replayed
from streams.replay.choice import DECIDED, Window, choose, survey
from streams.replay.lessons import Following
from streams.replay.outcome import Outcome
from streams.replay.replay import replay_logs

MADE_OF = ("features", "decision", "effects", "policy", "learner")
"""What follows from the rest of a record."""


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryLogs]:
    world = World(tmp_path_factory.mktemp("world"), seed=3, turns=90)
    yield world.logs
    world.close()


def accepted(logs: MemoryLogs) -> Iterator[tuple[int, int, dict[str, Any]]]:
    for partition, journal in enumerate(logs.journals):
        reading = Reading()
        for offset in range(len(journal)):
            record = logs.record(partition, offset)
            after = reading.accept(record)
            if after is not None:
                reading = after
                yield partition, offset, record


def places(logs: MemoryLogs) -> list[tuple[int, int]]:
    return [(p, offset) for p, offset, record in accepted(logs) if record["kind"] in DECIDED]


def test_replay_makes_every_decision_again(logs: MemoryLogs) -> None:
    kinds = Counter(record["kind"] for _, _, record in accepted(logs))
    assert all(kinds[kind] for kind in (*DECIDED, "dead", "duplicate"))
    outcome = replay_logs(logs)
    assert [each.differing() for each in outcome.differences] == []
    assert outcome.checked == outcome.equal == sum(kinds[kind] for kind in DECIDED)
    assert outcome.not_replayable == {kind: kinds[kind] for kind in ("dead", "duplicate")}
    assert outcome.ignored_records == 1
    assert outcome.folded_lessons > 40


def test_replay_folds_no_lesson_twice_and_none_beyond_the_last_needed(logs: MemoryLogs) -> None:
    named = [
        record["learner"]["revision"] for _, _, record in accepted(logs) if "learner" in record
    ]
    fresh = MemoryLogs(logs.journals, logs.lesson_entries)
    outcome = replay_logs(fresh)
    offsets = [entry.offset for entry in logs.lesson_entries]
    assert len(set(named)) > 30
    assert fresh.lessons_read == offsets[: len(fresh.lessons_read)]
    assert outcome.folded_lessons == sum(offset < max(named) for offset in offsets)


def test_learners_follow_up_to_a_revision_and_never_beyond(logs: MemoryLogs) -> None:
    values = [entry.value for entry in logs.lesson_entries[:3]]
    offsets = (0, 5, 6)
    entries = [Entry(at, 0, None, value) for at, value in zip(offsets, values, strict=True)]
    following = Following(iter(entries))
    steps = [(0, 0), (1, 1), (5, 1), (6, 6), (3, 6), (7, 7), (90, 7)]
    assert [following.reach(wanted).revision for wanted, _ in steps] == [at for _, at in steps]
    assert following.lesson_count == 3
    straight = Learners()
    for entry in entries:
        straight.fold(entry.value, entry.offset)
    assert following.learners.digest == straight.digest
    assert following.learners.content_digest() == straight.content_digest()


def test_replay_stops_a_partition_behind_its_last_chosen_record(logs: MemoryLogs) -> None:
    early = sorted(
        record["decided_ms"] for _, _, record in accepted(logs) if "decided_ms" in record
    )
    window = Window(to_ms=early[len(early) // 4])
    outcome = replay_logs(logs, window=window)
    folded = sum(1 for _ in accepted(logs))
    assert outcome.differing == 0
    assert 0 < outcome.checked < len(places(logs)) / 2
    assert outcome.folded_records < folded / 2


def test_sample_of_one_folds_what_comes_before_it_in_its_partition(logs: MemoryLogs) -> None:
    chosen = choose(survey(logs, Window(), lambda done: None).counts, 1, seed=4)
    ((partition, (place,)),) = ((p, own) for p, own in enumerate(chosen) if own)
    offset = [offset for p, offset in places(logs) if p == partition][place]
    before = [o for p, o, _ in accepted(logs) if p == partition and o <= offset]
    outcome = replay_logs(logs, sample=1, seed=4)
    assert (outcome.checked, outcome.folded_records) == (1, len(before))


@pytest.mark.parametrize("sample", [1, 5, 40])
def test_sample_is_checked_and_equal(logs: MemoryLogs, sample: int) -> None:
    outcome = replay_logs(logs, sample=sample, seed=4)
    assert (outcome.checked, outcome.equal) == (sample, sample)


def test_sample_larger_than_the_log_checks_all(logs: MemoryLogs) -> None:
    assert replay_logs(logs, sample=10**6).checked == len(places(logs))


def test_window_takes_its_beginning_and_leaves_its_end(logs: MemoryLogs) -> None:
    times = Counter(
        record["decided_ms"] for _, _, record in accepted(logs) if record["kind"] in DECIDED
    )
    first, last = min(times), max(times)
    assert replay_logs(logs, window=Window(last, None)).checked == times[last]
    assert replay_logs(logs, window=Window(None, first)).checked == 0
    assert replay_logs(logs, window=Window(first, first + 1)).checked == times[first]


@settings(
    max_examples=15,
    derandomize=True,  # drawn at random, generation was once found inconsistent; not understood
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_changed_field_is_found_and_named(logs: MemoryLogs, data: st.DataObject) -> None:
    partition, offset = data.draw(st.sampled_from(places(logs)))
    record = logs.record(partition, offset)
    leaves = [(path, holder, key) for path, holder, key in leaves_of(record) if path in MADE_OF]
    _, holder, key = data.draw(st.sampled_from(leaves))
    holder[key] = other(holder[key])
    outcome = replay_logs(logs.changed(partition, offset, record))
    decision = f"{partition}/{record['number']}"
    found = next(each for each in outcome.differences if each.decision == decision)
    changed = [each for each in found.differing().values() if each[0] == holder[key]]
    assert changed
    later = [each.decision.split("/") for each in outcome.differences]
    assert all(int(p) == partition and int(n) >= record["number"] for p, n in later)


@pytest.mark.parametrize("field", ["learner", "policy"])
def test_changed_digest_is_found_and_named(logs: MemoryLogs, field: str) -> None:
    partition, offset = places(logs)[-1]
    record = logs.record(partition, offset)
    assert field in record
    if field == "learner":
        record[field]["digest"] = "f" * 32
    else:
        record[field] = "f" * 32
    outcome = replay_logs(logs.changed(partition, offset, record))
    (found,) = outcome.differences
    ((path, (recorded, _)),) = found.differing().items()
    assert (path, recorded) == ("learner.digest" if field == "learner" else field, "f" * 32)


def test_lost_or_exchanged_lesson_is_found(logs: MemoryLogs) -> None:
    entries = list(logs.lesson_entries)
    middle = len(entries) // 2
    entries[middle], entries[middle + 1] = (
        entries[middle]._replace(value=entries[middle + 1].value),
        entries[middle + 1]._replace(value=entries[middle].value),
    )
    outcome = replay_logs(MemoryLogs(logs.journals, entries))
    assert outcome.differing > 0
    assert any("learner.digest" in each.differing() for each in outcome.differences)
    without = entries[:middle]
    assert replay_logs(MemoryLogs(logs.journals, without)).differing > 0


def test_decision_that_cannot_be_made_any_more_differs(logs: MemoryLogs) -> None:
    partition, offset, record = next(each for each in accepted(logs) if each[2]["kind"] == "ticket")
    del record["event"]["ticket_id"]
    changed = logs.changed(partition, offset, record)
    alone = Window(record["decided_ms"], record["decided_ms"] + 1)
    found = {each.decision: each for each in replay_logs(changed, window=alone).differences}
    again = found[f"{partition}/{record['number']}"]
    assert again.differing()["decide"][1].startswith("RejectedError")


def test_record_that_cannot_be_folded_halts_and_is_named(logs: MemoryLogs) -> None:
    partition, offset, record = next(each for each in accepted(logs) if each[2]["kind"] == "tick")
    del record["decision"]["done"]
    with pytest.raises(IncompatibleError, match=f"{partition}/{record['number']} cannot be folded"):
        replay_logs(logs.changed(partition, offset, record))


def test_decision_of_another_core_version_is_counted_not_checked(logs: MemoryLogs) -> None:
    partition, offset = places(logs)[-1]
    record = logs.record(partition, offset) | {"core": core.CORE_VERSION + "-other"}
    outcome = replay_logs(logs.changed(partition, offset, record))
    assert (outcome.other_version, outcome.differing) == (1, 0)
    assert outcome.checked == len(places(logs)) - 1


def test_difference_is_named_by_its_smallest_part() -> None:
    def differing(recorded: Any, again: Any) -> dict[str, tuple[Any, Any]]:
        return Replayed("0/1", "ticket", encode(recorded), encode(again), 0.1).differing()

    assert differing({"a": 1}, {"a": 1}) == {}
    assert differing({"a": {"b": 1.0}, "c": 2}, {"a": {"b": 1.5}, "c": 2}) == {"a.b": (1.0, 1.5)}
    assert differing({"a": [{"b": 1}, 2]}, {"a": [{"b": 3}, 2]}) == {"a[0].b": (1, 3)}
    assert differing({"a": [1]}, {"a": [1, 2]}) == {"a": ([1], [1, 2])}
    assert differing({"a": None}, {}) == {"a": (None, ABSENT)}
    assert differing({}, {"a": 1}) == {"a": (ABSENT, 1)}
    assert list(differing({"a": 1}, {"a": 1.0})) == ["a"]
    assert list(differing({"a": True}, {"a": 1})) == ["a"]
    assert list(differing({"x": {"a": 1, "b": 2}}, {"x": {"b": 2, "a": 1}})) == ["x (order)"]
    spaced = Replayed("0/1", "ticket", b'{"a": 1}', b'{"a":1}', 0.1)
    assert list(spaced.differing()) == ["(notation)"]


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12), st.integers(1, 500), st.integers())
def test_choice_is_spread_over_the_log_and_drawn_again_alike(
    counts: list[int], sample: int, seed: int
) -> None:
    chosen = choose(counts, sample, seed)
    total = sum(counts)
    assert chosen == choose(counts, sample, seed)
    assert sum(map(len, chosen)) == min(sample, total)
    starts = [sum(counts[:number]) for number in range(len(counts))]
    for own, count in zip(chosen, counts, strict=True):
        assert list(own) == sorted(set(own))
        assert all(0 <= place < count for place in own)
    if sample < total:
        laid = [start + place for start, own in zip(starts, chosen, strict=True) for place in own]
        for number, place in enumerate(laid):
            assert number * total // sample <= place < (number + 1) * total // sample


def test_choices_of_two_seeds_differ() -> None:
    assert choose([5_000, 5_000], 100, seed=1) != choose([5_000, 5_000], 100, seed=2)


def test_survey_counts_what_replay_checks(logs: MemoryLogs) -> None:
    found = survey(logs, Window(), lambda done: None)
    assert sum(found.counts) == len(places(logs))
    for partition, end in enumerate(found.ends):
        assert end == max(offset for p, offset in places(logs) if p == partition) + 1


def test_outcome_of_nothing_names_no_speed() -> None:
    empty = MemoryLogs([[], []], [])
    outcome = replay_logs(empty)
    assert (outcome.checked, outcome.decisions_per_s, outcome.checked_per_s) == (0, None, None)


def test_report_has_the_fixed_names_and_both_speeds() -> None:
    outcome = Outcome(
        checked=10, equal=9, differing=1,
        differences=(Replayed("0/1", "tick", b'{"a":1}', b'{"a":2}', 0.1),),
        not_replayable={"dead": 2}, other_version=0, ignored_records=0, folded_records=90,
        folded_lessons=7, deciding_s=0.5, took_s=2.0,
    )  # fmt: skip
    report = decode_json(encode(outcome.report()))
    assert list(report)[:4] == ["checked", "equal", "differing", "decisions_per_s"]
    assert (report["decisions_per_s"], report["checked_per_s"]) == (20.0, 5.0)
    (difference,) = report["differences"]
    assert difference == {
        "decision": "0/1",
        "kind": "tick",
        "fields": {"a": {"recorded": 1, "again": 2}},
    }
    assert replace(outcome, deciding_s=1.0).decisions_per_s == 10.0


def leaves_of(record: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The parts of a record that hold nothing smaller: top field, holder, key or index."""

    def walk(top: str, holder: Any, key: Any) -> Iterator[tuple[str, Any, Any]]:
        value = holder[key]
        if isinstance(value, dict):
            for name in value:
                yield from walk(top, value, name)
        elif isinstance(value, list):
            for index in range(len(value)):
                yield from walk(top, value, index)
        elif isinstance(value, bool | int | float | str):
            yield top, holder, key

    for name in record:
        yield from walk(name, record, name)


def other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case _:
            return f"{value}x"
