"""One batch of the desk, step by step, with a journal that answers as it is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_events import PARTITION, START_MS, raw
from scripted_desk import Scripted, payment, scripted_desk

from models.state import Changes, Due
from schemas.errors import IncompatibleError, UnavailableError
from schemas.registry import JOURNAL, TRANSACTIONS, dead_topic
from streams.intake.batches import Slice

DEAD = dead_topic(TRANSACTIONS.name)


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    with scripted_desk(tmp_path, monkeypatch) as made:
        yield made


async def test_dead_letter_is_acknowledged_before_its_entry_is_written(scripted: Scripted) -> None:
    await scripted.process(raw("transaction", 0, b"{"), payment(1))
    assert scripted.steps[:3] == [
        ("append", [DEAD]),
        ("append", [JOURNAL.name] * 3),  # the policy, the refusal, the payment
        "acknowledged",
    ]


async def test_dead_letter_that_is_not_acknowledged_has_no_entry(scripted: Scripted) -> None:
    scripted.writer.fault = UnavailableError("no answer")
    await scripted.process(raw("transaction", 0, b"{"))
    assert scripted.steps[0] == ("append", [DEAD])
    assert ("append", [JOURNAL.name] * 2) not in scripted.steps
    assert "acknowledged" not in scripted.steps


async def test_state_holds_nothing_that_the_journal_has_not_acknowledged(
    scripted: Scripted,
) -> None:
    await scripted.process(payment(0))
    before = scripted.saved()
    scripted.writer.fault = UnavailableError("no answer")
    await scripted.process(payment(1))
    assert scripted.stored() == before


async def test_offsets_are_committed_last_and_from_the_state(scripted: Scripted) -> None:
    await scripted.process(payment(0))
    assert scripted.steps[-2:] == ["acknowledged", ("hint", {TRANSACTIONS.name: 1})]
    scripted.steps.clear()
    scripted.desk._committed_at = 0.0
    scripted.writer.fault = UnavailableError("no answer")
    await scripted.process(payment(1))
    assert not [step for step in scripted.steps if step[0] == "hint"]


async def test_lessons_are_folded_while_the_journal_is_written(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        scripted.desk.feed, "apply", lambda limit: scripted.steps.append(("fold", limit))
    )
    await scripted.process(*(payment(number) for number in range(10)))
    await scripted.process(payment(10))
    steps = [step[0] if isinstance(step, tuple) else step for step in scripted.steps]
    assert [step for step in steps if step != "hint"] == ["append", "fold", "acknowledged"] * 2
    assert [step[1] for step in scripted.steps if step[0] == "fold"] == [5, 1]


async def test_half_acknowledged_batch_leaves_no_state_and_is_claimed_anew(
    scripted: Scripted,
) -> None:
    scripted.writer.fault = UnavailableError("one of two was not acknowledged")
    await scripted.process(payment(0))
    assert scripted.steps[1:] == [("halt", PARTITION, 1), ("take", PARTITION, 1)]
    assert scripted.desk._owned.partitions == {}
    assert scripted.halts == []
    await scripted.process(payment(0))  # what was read meanwhile finds no owner
    assert len(scripted.steps) == 3


async def test_unexpected_offset_throws_everything_back(scripted: Scripted) -> None:
    scripted.writer.next_offset += 1  # somebody else's record is in between
    await scripted.process(payment(0))
    assert "acknowledged" not in scripted.steps
    assert scripted.writer.thrown_away_count == 1
    assert scripted.steps[-1] == ("take", PARTITION, 1)
    assert scripted.desk._owned.partitions == {}


async def test_slice_that_does_not_continue_is_refused_and_read_again(scripted: Scripted) -> None:
    await scripted.process(payment(0))
    scripted.steps.clear()
    await scripted.process(payment(2), positions={TRANSACTIONS.name: 2})
    assert scripted.steps == [("start", PARTITION, 1, {TRANSACTIONS.name: 1})]
    await scripted.process(payment(1))
    assert scripted.steps[1] == ("append", [JOURNAL.name])


async def test_slice_of_an_older_assignment_is_dropped(scripted: Scripted) -> None:
    await scripted.process(payment(0), generation=0)
    assert scripted.steps == []
    await scripted.process(payment(0))
    assert scripted.steps[0] == ("append", [JOURNAL.name] * 2)


async def test_clock_ticks_only_where_nothing_is_unread(scripted: Scripted) -> None:
    await scripted.process(payment(0))
    due = Due(START_MS, "mature", "transaction/default/gone")
    scripted.bench.store.stage(Changes({}, added=[due]))
    scripted.bench.store.commit(scripted.bench.store.position)
    scripted.steps.clear()
    at = scripted.bench.partition.position.sources
    await scripted.desk.process([Slice(PARTITION, 1, at, at, [], START_MS)])
    assert scripted.steps == []
    await scripted.desk.process([Slice(PARTITION, 1, at, at, [], None)])
    assert scripted.steps[0] == ("append", [JOURNAL.name])


@pytest.mark.parametrize("ends", [False, UnavailableError("no answer")])
async def test_clock_does_not_tick_on_an_end_that_the_broker_does_not_confirm(
    scripted: Scripted, ends: bool | UnavailableError
) -> None:
    await scripted.process(payment(0))
    due = Due(START_MS, "mature", "transaction/default/gone")
    scripted.bench.store.stage(Changes({}, added=[due]))
    scripted.bench.store.commit(scripted.bench.store.position)
    scripted.steps.clear()
    at = scripted.bench.partition.position.sources
    scripted.ends = ends  # noted once, but something was published while the process slept
    await scripted.desk.process([Slice(PARTITION, 1, at, at, [], None)])
    assert scripted.steps == []


async def test_quiet_slice_that_does_not_continue_the_fold_has_the_inputs_read_again(
    scripted: Scripted,
) -> None:
    ahead = {TRANSACTIONS.name: 1}  # a slice was lost, and nothing came behind it
    await scripted.desk.process([Slice(PARTITION, 1, ahead, ahead, [], None)])
    assert scripted.steps == [("start", PARTITION, 1, {})]


async def test_unexpected_fault_halts_instead_of_losing_the_batch(scripted: Scripted) -> None:
    scripted.writer.fault = RuntimeError("nobody thought of this")
    await scripted.process(payment(0))  # an exception would leave through Faust, which goes on
    assert [str(fault) for fault in scripted.halts] == ["nobody thought of this"]
    scripted.writer.fault = None
    await scripted.process(payment(0))
    assert len(scripted.steps) == 1


async def test_departed_learners_decide_nothing_more(scripted: Scripted) -> None:
    await scripted.process(payment(0))
    scripted.steps.clear()
    scripted.desk.digests.departure = IncompatibleError("the learners depart")
    await scripted.process(payment(1))
    assert scripted.steps == []
    assert [str(fault) for fault in scripted.halts] == ["the learners depart"]


async def test_failed_thread_ends_the_desk(scripted: Scripted) -> None:
    scripted.desk.check()
    assert scripted.halts == []
    scripted.desk.intake.failure = RuntimeError("the reader is dead")
    scripted.desk.check()
    assert [str(fault) for fault in scripted.halts] == ["the reader is dead"]
