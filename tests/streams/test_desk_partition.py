from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from desk_bench import CLOCK_MS, Bench
from desk_events import (
    CUSTOMERS,
    PARTITION,
    START_MS,
    customers,
    event,
    raw,
    slice_of,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.policy import POLICY_V1, Policy
from models.state import Changes, Due
from schemas.errors import IncompatibleError
from schemas.registry import LESSONS, MAX_EVENT_BYTES, dead_topic
from streams.desk.guard import DeadLetterLimit
from streams.desk.partition import Partition
from streams.desk.position import FoldPosition
from streams.desk.store import PartitionStore
from streams.journal.acceptance import Reading
from streams.journal.fold import fold
from streams.journal.reader import Entry


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "store")
    yield made
    made.store.close()


def kinds(records: list[dict[str, Any]]) -> list[str]:
    return [record["kind"] for record in records]


def contents(store: PartitionStore) -> dict[bytes, bytes]:
    return {bytes(key): bytes(value) for key, value in store._db.items()}


def test_first_slice_adopts_the_first_policy_and_decides(bench: Bench) -> None:
    entries = bench.take(raw("transaction", 0, event("transaction", "t1", 1)))
    assert kinds(entries) == ["policy", "transaction"]
    assert [entry["number"] for entry in entries] == [1, 2]
    assert bench.store.position.sources == {"payments.transactions.v1": 1}


def test_continues_only_where_the_fold_stands(bench: Bench) -> None:
    first = raw("transaction", 0, event("transaction", "t1", 1))
    second = raw("transaction", 1, event("transaction", "t2", 1))
    part = slice_of([first], {})
    assert bench.partition.continues(part)
    bench.take(first)
    assert not bench.partition.continues(part)  # the same beginning once more
    assert not bench.partition.continues(slice_of([second], {first.topic: 0}))
    assert not bench.partition.continues(slice_of([second], {first.topic: 2}))
    assert not bench.partition.continues(slice_of([second], {}))
    assert bench.partition.continues(slice_of([second], {first.topic: 1}))
    other = raw("ticket", 5, event("ticket", "k1", 1))
    assert bench.partition.continues(slice_of([second, other], {first.topic: 1}))
    assert not bench.partition.continues(
        slice_of([second, other], {first.topic: 1, other.topic: 4})
    )


GOOD = event("transaction", "t1", 1)
ELSEWHERE = customers(PARTITION + 1, 1)[0]
REFUSED = {
    "malformed": (b"{", CUSTOMERS[0].encode(), "decode", "MalformedError"),
    "no_value": (None, CUSTOMERS[0].encode(), "decode", "MalformedError"),
    "against_schema": (b'{"event_id":"x"}', CUSTOMERS[0].encode(), "decode", "RejectedError"),
    "oversize": (
        GOOD + b" " * MAX_EVENT_BYTES,
        CUSTOMERS[0].encode(),
        "size",
        "RejectedError",
    ),
    "no_key": (GOOD, None, "envelope", "RejectedError"),
    "wrong_key": (GOOD, CUSTOMERS[1].encode(), "envelope", "RejectedError"),
    "wrong_partition": (
        event("transaction", "t1", 1, ELSEWHERE),
        ELSEWHERE.encode(),
        "envelope",
        "RejectedError",
    ),
    "from_the_future": (
        event("transaction", "t1", 10_000),
        CUSTOMERS[0].encode(),
        "decide",
        "RejectedError",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_record_becomes_a_dead_letter_and_an_entry(bench: Bench, case: str) -> None:
    value, key, stage, error = REFUSED[case]
    bad = raw("transaction", 0, value, key)
    good = raw("transaction", 1, GOOD)
    decided = bench.decide(bad, good)
    (letter,) = decided.dead
    headers = dict(letter.headers)
    assert (letter.topic, letter.partition) == (dead_topic(bad.topic), PARTITION)
    assert (letter.key, letter.value) == (key, value)
    assert headers["riverdesk_stage"] == stage.encode()
    assert headers["riverdesk_error"] == error.encode()
    assert headers["riverdesk_offset"] == b"0"
    entries = bench.keep(decided)
    assert kinds(entries) == ["policy", "dead", "transaction"]
    assert entries[1]["source"]["offset"] == 0
    assert entries[1]["error"]["stage"] == stage
    assert bench.store.position.sources == {bad.topic: 2}


def test_record_that_the_core_cannot_decide_is_a_dead_letter(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("a surrogate \ud800")

    monkeypatch.setattr("models.core.decide_event", broken)
    entries = bench.take(raw("transaction", 0, GOOD))
    assert kinds(entries) == ["policy", "dead"]
    assert entries[1]["error"]["class"] == "ZeroDivisionError"


def test_decision_that_does_not_fit_the_journal_is_a_dead_letter(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.take(raw("transaction", 0, GOOD))
    monkeypatch.setattr("streams.desk.page.MAX_JOURNAL_BYTES", 1_000)
    decided = bench.decide(raw("transaction", 1, event("transaction", "t2", 2)))
    assert [len(letter.value or b"") < 1_000 for letter in decided.dead] == [True]
    (entry,) = bench.keep(decided)
    assert (entry["kind"], entry["error"]["stage"]) == ("dead", "decide")
    assert bench.store.get("remembered", "transaction/default/t2") is None


def test_personal_data_never_reaches_the_journal(bench: Bench) -> None:
    card, text = "4111111111111111", "my card 4111 1111 1111 1111, mail me: ann@example.org"
    bench.take(
        raw("transaction", 0, event("transaction", "t1", 1, card=card)),
        raw("ticket", 0, event("ticket", "k1", 2, text=text)),
    )
    written = b"".join([*bench.journal, *contents(bench.store).values()])
    for secret in (card, "4111 1111", "ann@example.org"):
        assert secret.encode() not in written
    assert b"<card>" in written


def test_too_many_refusals_stop_the_desk_and_leave_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store", run_limit=2)
    before = contents(bench.store)
    with pytest.raises(IncompatibleError):
        bench.decide(*(raw("transaction", offset, b"{") for offset in range(3)))
    bench.partition.discard()
    assert bench.partition.position == bench.store.position
    assert contents(bench.store) == before
    bench.store.close()


def test_restarted_desk_goes_on_counting_refusals_where_the_journal_stands(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "store", run_limit=3)
    bench.take(*(raw("transaction", offset, b"{") for offset in range(2)))
    bench.limit = DeadLetterLimit(3, 10_000, 0.5)  # a new process knows what the store knows
    bench.partition = bench.owned()
    bench.take(raw("transaction", 2, b"{"))
    with pytest.raises(IncompatibleError):
        bench.decide(raw("transaction", 3, b"{"))
    bench.partition.discard()
    assert bench.store.position.refusals.run == 3
    bench.store.close()


def test_refusals_that_were_not_journaled_do_not_count(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store", run_limit=3)
    for _ in range(3):  # thrown back each time, and decided again
        bench.decide(*(raw("transaction", offset, b"{") for offset in range(3)))
        bench.partition.discard()
    bench.store.close()


def due_at(bench: Bench, at_ms: int) -> None:
    """Put something on the agenda, as an earlier record would have."""
    entry = Due(at_ms, "mature", "transaction/default/gone")
    bench.store.stage(Changes({}, added=[entry]))
    bench.store.commit(bench.store.position)


def test_tick_waits_for_what_is_unread(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    due_at(bench, START_MS + 1_200_000)
    late = raw("transaction", 1, event("transaction", "t2", 30))
    assert kinds(bench.take(late, unread_ms=START_MS)) == ["transaction"]
    later = raw("transaction", 2, event("transaction", "t3", 31))
    entries = bench.take(later, unread_ms=START_MS + 1_200_000)
    assert kinds(entries) == ["tick", "transaction"]
    assert entries[0]["tick_ms"] == START_MS + 1_200_000


def test_tick_is_not_ahead_of_the_events_own_time(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    due_at(bench, START_MS + 600_000)
    old = raw("transaction", 1, event("transaction", "t2", 9.9))
    assert kinds(bench.take(old)) == ["transaction"]
    new = raw("transaction", 2, event("transaction", "t3", 10))
    assert kinds(bench.take(new)) == ["tick", "transaction"]


def test_tick_never_goes_back(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    bench.tick(START_MS + 1_200_000)
    due_at(bench, START_MS + 1_200_000)
    due_at(bench, START_MS + 300_000)  # what falls due in the past waits for the next tick
    (first,) = bench.tick(START_MS + 1_260_000)
    assert len(first["decision"]["done"]) == 2
    due_at(bench, START_MS + 300_000)
    old = raw("transaction", 1, event("transaction", "t2", 10))
    assert kinds(bench.take(old)) == ["transaction"]
    assert bench.store.position.tick_ms == START_MS + 1_260_000


def test_quiet_partition_ticks_by_the_clock_and_each_tick_once(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    due_at(bench, START_MS + 600_000)
    assert bench.tick(START_MS + 599_999) == []
    (entry,) = bench.tick(START_MS + 600_001)
    assert (entry["kind"], entry["tick_ms"]) == ("tick", START_MS + 600_000)
    assert bench.tick(START_MS + 650_000) == []
    assert bench.store.position.tick_ms == START_MS + 600_000


def test_tick_is_due_only_where_something_falls_due(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    due_at(bench, START_MS + 600_000)
    assert not bench.partition.is_due(START_MS + 599_999)
    assert bench.partition.is_due(START_MS + 600_000)
    bench.tick(START_MS + 600_000)
    assert not bench.partition.is_due(START_MS + 600_000)


def test_quiet_first_partition_reports_on_the_learners_once(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    assert not bench.partition.is_due(START_MS + 600_000)
    bench.learners.fold(b"a lesson", 0)
    assert not bench.partition.is_due(START_MS + 600_000)  # another partition reports
    identity = replace(bench.partition.identity, partition=0)
    first = Partition(identity, bench.store, bench.learners, b"key", 60_000, bench.limit)
    assert first.is_due(START_MS + 600_000)
    decided = first.rest(START_MS + 600_000, lambda: CLOCK_MS, None)
    (entry,) = bench.keep(decided)
    assert entry["decision"]["done"] == []
    assert {effect["topic"] for effect in entry["effects"]} == {"desk.quality.v1"}
    assert not first.is_due(START_MS + 900_000)
    again = Partition(identity, bench.store, bench.learners, b"key", 60_000, bench.limit)
    assert not again.is_due(START_MS + 900_000)  # the ledger knows, whoever owns it


def test_full_tick_goes_on_until_nothing_is_due(bench: Bench) -> None:
    content = {**POLICY_V1, "version": 2, "tick_items": 2}
    bench.newest = Policy.from_content(content)
    bench.take(raw("transaction", 0, GOOD))
    for n in range(5):
        entry = Due(START_MS, "mature", f"transaction/default/gone{n}")
        bench.store.stage(Changes({}, added=[entry]))
    bench.store.commit(bench.store.position)
    ticks = bench.tick(START_MS + 120_000)
    assert [len(tick["decision"]["done"]) for tick in ticks] == [2, 2, 1]
    assert [tick["number"] for tick in ticks] == [3, 4, 5]


def test_newer_policy_is_journaled_before_the_first_decision_under_it(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    newer = Policy.from_content({**POLICY_V1, "version": 2})
    bench.newest = newer
    entries = bench.take(raw("transaction", 1, event("transaction", "t2", 2)))
    assert kinds(entries) == ["policy", "transaction"]
    assert entries[0]["policy"] == entries[1]["policy"] == newer.digest
    bench.newest = Policy.from_content(POLICY_V1)  # an older one changes nothing
    entries = bench.take(raw("transaction", 2, event("transaction", "t3", 3)))
    assert kinds(entries) == ["transaction"]
    assert bench.owned().policy.digest == newer.digest


def test_discard_leaves_no_trace_and_the_same_is_decided_again(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    before, position = contents(bench.store), bench.partition.position
    bench.newest = Policy.from_content({**POLICY_V1, "version": 2})
    batch = [
        raw("ticket", 0, event("ticket", "k1", 2)),
        raw("transaction", 1, b"{"),
        raw("feedback", 0, event("feedback", "t1", 3)),
    ]
    once = bench.decide(*batch)
    bench.partition.discard()
    assert contents(bench.store) == before
    assert bench.partition.position == bench.store.position == position
    assert bench.partition.policy.version == POLICY_V1["version"]
    assert bench.store.get("ticket", "default/k1") is None
    again = bench.decide(*batch)
    assert again.entries == once.entries
    assert again.dead == once.dead


def test_entry_names_the_revision_that_was_used_and_it_never_goes_back(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    bench.learners.fold(b"{}", 0)
    due_at(bench, START_MS)
    (tick,) = bench.tick(START_MS + 120_000)
    assert tick["learner"]["revision"] == bench.store.position.revision == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["transaction", "ticket", "feedback", "poison", "tick", "lesson", "crash"]),
        st.integers(0, 4),  # subject
        st.floats(0, 12_000),  # minutes: beyond the 7 days in which labels mature
        st.integers(0, 2),  # customer
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_fold_equals_live(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    path = tmp_path_factory.mktemp("fold")
    bench = Bench(path / "live")
    next_offset = {"transaction": 0, "ticket": 0, "feedback": 0}
    for number, (what, subject, minutes, customer) in enumerate(steps):
        ms = START_MS + int(minutes * 60_000) + 1_000
        if what == "tick":
            bench.tick(ms)
        elif what == "lesson":
            bench.learners.fold(b"{%d}" % number, bench.learners.revision)
        elif what == "crash":
            bench.partition.discard()
            bench.partition = bench.owned()
        else:
            kind = "transaction" if what == "poison" else what
            value = event(kind, f"s{subject}", minutes, CUSTOMERS[customer], event_id=f"e{number}")
            record = raw(kind, next_offset[kind], b"{" if what == "poison" else value, ms=ms)
            bench.take(record)
            next_offset[kind] += 1
    folded, position, reading = PartitionStore(path / "folded"), FoldPosition(), Reading()
    for offset, value in enumerate(bench.journal):
        accepted = reading.accept(orjson.loads(value))
        assert accepted is not None
        reading = accepted
        position = fold(Entry(offset, 0, None, value), folded, position)
    folded.commit(position)
    assert folded.position == bench.store.position
    assert contents(folded) == contents(bench.store)
    answers = [orjson.loads(value).get("source") for value in bench.journal]
    places = [(s["topic"], s["offset"]) for s in answers if s]
    assert len(places) == len(set(places)) == sum(next_offset.values())
    folded.close()
    bench.store.close()


def test_label_of_a_decision_becomes_a_lesson(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    (entry,) = bench.take(raw("feedback", 0, event("feedback", "t1", 3)))
    assert LESSONS.name in [effect["topic"] for effect in entry["effects"]], entry


def test_newer_policy_is_adopted_while_no_record_comes(bench: Bench) -> None:
    bench.take(raw("transaction", 0, GOOD))
    newer = Policy.from_content({**POLICY_V1, "version": 2})
    (entry,) = bench.keep(bench.partition.rest(None, lambda: CLOCK_MS, newer))
    assert (entry["kind"], entry["policy"]) == ("policy", newer.digest)
    assert bench.keep(bench.partition.rest(None, lambda: CLOCK_MS, newer)) == []
