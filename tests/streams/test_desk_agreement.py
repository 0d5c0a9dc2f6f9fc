"""Whoever must stop when digests differ: told by the order of the topic alone."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.digests import LearnersDigest
from streams.desk.agreement import Agreement, Verdict

RIGHT, WRONG = "right", "wrong"


def record(
    worker: str, content: str = RIGHT, rebuilt: bool = False, revision: int = 100, **more: Any
) -> LearnersDigest:
    made: dict[str, Any] = {
        "worker": worker,
        "start": f"start of {worker}",
        "revision": revision,
        "chain": f"chain {revision}",
        "content": content,
        "skipped": 0,
        "rebuilt": rebuilt,
        "fingerprint": "f",
        "core": "1",
        "platform": "p",
        "every": 100,
        "at_ms": 0,
    }
    made.update(more)
    return made  # type: ignore[return-value]


def heard(worker: str, topic: Sequence[LearnersDigest]) -> list[Verdict]:
    agreement = Agreement(f"start of {worker}")
    return [verdict for each in topic if (verdict := agreement.hear(each)) is not None]


def departs(worker: str, topic: Sequence[LearnersDigest]) -> bool:
    return any(verdict.kind == "departed" for verdict in heard(worker, topic))


FLEETS = st.lists(st.booleans(), min_size=1, max_size=5).map(
    lambda flags: [(f"w{number}", rebuilt) for number, rebuilt in enumerate(flags)]
)


@given(FLEETS, st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True), st.data())
def test_agreement_of_equal_digests_stops_nobody(
    fleet: list[tuple[str, bool]], revisions: list[int], data: st.DataObject
) -> None:
    said = [
        record(worker, f"content at {revision}", rebuilt, revision)
        for worker, rebuilt in fleet
        for revision in revisions
    ]
    topic = data.draw(st.permutations(said))
    for worker, _ in fleet:
        verdicts = heard(worker, topic)
        assert {verdict.kind for verdict in verdicts} <= {"agreed"}
        assert {v.revision for v in verdicts} == (set(revisions) if len(fleet) > 1 else set())


@given(st.lists(st.booleans(), max_size=3), st.lists(st.booleans(), max_size=3), st.data())
def test_agreement_with_a_rebuilt_one_stops_every_wrong_one_in_any_order(
    right: list[bool], wrong: list[bool], data: st.DataObject
) -> None:
    """Wrong ones come from checkpoints; one at least of the right ones was rebuilt."""
    rights = {"rebuilt": True} | {f"right{n}": rebuilt for n, rebuilt in enumerate(right)}
    wrongs = [f"wrong{n}" for n in range(len(wrong))]
    said = [record(name, RIGHT, rebuilt) for name, rebuilt in rights.items()]
    topic = data.draw(st.permutations(said + [record(name, WRONG) for name in wrongs]))
    assert all(departs(name, topic) for name in wrongs)
    assert not any(departs(name, topic) for name, rebuilt in rights.items() if rebuilt)


@given(st.lists(st.sampled_from([RIGHT, WRONG]), min_size=2, max_size=6))
def test_agreement_among_checkpoints_stops_whoever_differs_from_the_first(
    contents: list[str],
) -> None:
    topic = [record(f"w{number}", content) for number, content in enumerate(contents)]
    for number, content in enumerate(contents):
        assert departs(f"w{number}", topic) == (content != contents[0])


@given(st.permutations([("a", RIGHT), ("b", RIGHT), ("c", WRONG)]))
def test_agreement_stops_all_rebuilt_ones_where_two_of_them_differ(
    fleet: list[tuple[str, str]],
) -> None:
    topic = [record(worker, content, True) for worker, content in fleet]
    assert all(departs(worker, topic) for worker in "abc")


def test_wrong_first_one_is_found_by_whom_it_stopped() -> None:
    """The right one stops, for it came second; rebuilt, it has the say."""
    topic = [record("first", WRONG), record("second", RIGHT)]
    assert not departs("first", topic)
    assert departs("second", topic)
    topic.append(record("second", RIGHT, True, start="second start"))
    assert departs("first", topic)
    assert not any(v.kind == "departed" for v in _heard_by("second start", topic))
    topic.append(record("third", RIGHT))  # is not stopped by what was refuted
    assert not departs("third", topic)


def _heard_by(start: str, topic: Sequence[LearnersDigest]) -> list[Verdict]:
    agreement = Agreement(start)
    return [verdict for each in topic if (verdict := agreement.hear(each)) is not None]


def test_worker_alone_is_compared_with_its_earlier_start() -> None:
    before = record("alone", RIGHT, True, start="before")
    topic = [before, record("alone", WRONG)]
    assert departs("alone", topic)
    (verdict,) = heard("alone", topic)
    assert (verdict.revision, verdict.other.start) == (100, "before")


@given(st.permutations([record("a", RIGHT), record("b", WRONG)]))
def test_another_chain_departs_like_another_content(topic: list[LearnersDigest]) -> None:
    topic = [{**each, "content": RIGHT, "chain": each["worker"]} for each in topic]
    assert [departs(each["worker"], topic) for each in topic] == [False, True]


@pytest.mark.parametrize("name", ["fingerprint", "platform", "revision"])
def test_other_code_machine_or_revision_is_not_compared(name: str) -> None:
    other: Any = {**record("b", WRONG, True), name: 7 if name == "revision" else "other"}
    for topic in permutations([record("a"), other]):
        assert heard("a", topic) == heard("b", topic) == []


def test_revisions_are_compared_however_they_come_between_each_other() -> None:
    mine = [record("a", f"c{revision}", False, revision) for revision in range(1, 50)]
    others = [record("b", f"c{revision}", True, revision) for revision in range(1, 50)]
    others[20]["content"] = WRONG
    for topic in (mine + others, others + mine):
        departed = [v.revision for v in heard("a", topic) if v.kind == "departed"]
        assert departed == [21]
        assert len(heard("a", topic)) == 49


def test_memory_of_revisions_is_bounded() -> None:
    agreement = Agreement("start of a", kept=3)
    for revision in range(1, 6):
        agreement.hear(record("b", WRONG, True, revision))
    assert [agreement.hear(record("a", RIGHT, False, n)) is None for n in (1, 5)] == [True, False]
