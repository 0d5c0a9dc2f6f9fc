"""The next batch is decided while the records of the one before are under way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_bench import FullDisk
from desk_events import PARTITION, raw
from scripted_desk import Scripted, contents, payment, scripted_desk

from schemas.codec import decode_json
from schemas.registry import JOURNAL, TRANSACTIONS, dead_topic
from streams.intake.batches import Slice

SENT = ("append", [JOURNAL.name])
HALTED = [("halt", PARTITION, 1), ("take", PARTITION, 1)]


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    with scripted_desk(tmp_path, monkeypatch) as made:
        yield made


async def first(scripted: Scripted) -> None:
    """Have the policy journaled, which comes with the first payment."""
    await scripted.process(payment(0))
    scripted.steps.clear()


async def leave_under_way(scripted: Scripted, *, is_doubtful: bool = False) -> None:
    """Have the next payment sent, and another batch wait behind it."""
    scripted.more_waits = True
    if is_doubtful:
        scripted.writer.unacknowledged = scripted.writer.next_offset
    await scripted.process(payment(1))


async def test_next_batch_is_sent_before_the_first_is_durable(scripted: Scripted) -> None:
    await first(scripted)
    await leave_under_way(scripted)
    assert scripted.steps == [SENT]
    scripted.more_waits = False
    await scripted.process(payment(2))
    assert scripted.steps == [SENT, SENT, "acknowledged", "acknowledged"]


async def test_no_more_than_one_batch_is_left_under_way(scripted: Scripted) -> None:
    await first(scripted)
    scripted.more_waits = True
    for offset in (1, 2, 3):
        await scripted.process(payment(offset))
    assert scripted.steps == [SENT, SENT, "acknowledged", SENT, "acknowledged"]


async def test_state_is_the_same_as_if_each_batch_had_been_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for more_waits in (False, True):
        with scripted_desk(tmp_path / str(more_waits), monkeypatch) as desk:
            for offset in range(6):
                desk.more_waits = more_waits and offset < 5
                await desk.process(payment(offset))
            found.append((desk.saved(), desk.bench.store.position.sources))
    assert found[0] == found[1]
    assert len(found[0][0]) > 6


async def test_batch_is_decided_on_what_is_still_under_way(scripted: Scripted) -> None:
    await first(scripted)
    sent = []
    send = scripted.writer.send_together
    scripted.writer.send_together = lambda records: (  # type: ignore[method-assign]
        sent.extend(decode_json(each.value or b"") for each in records),
        send(records),
    )[1]
    await leave_under_way(scripted)
    again = payment(1)._replace(offset=2)
    await scripted.process(again)
    assert [each["kind"] for each in sent] == ["transaction", "duplicate"]
    assert [each["number"] for each in sent] == [3, 4]


async def test_doubt_throws_back_all_that_is_under_way(scripted: Scripted) -> None:
    await first(scripted)
    before = scripted.saved()
    await leave_under_way(scripted, is_doubtful=True)
    await scripted.process(payment(2))  # its own records are fine
    assert scripted.steps == [SENT, SENT, *HALTED]
    assert scripted.writer.thrown_away_count == 1
    assert scripted.stored() == before


async def test_batch_before_a_doubtful_one_stays_durable_and_nothing_behind_it(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_desk(tmp_path / "without", monkeypatch) as without:
        for offset in (0, 1):
            await without.process(payment(offset))
        expected = without.stored()
    await first(scripted)
    await leave_under_way(scripted)
    scripted.writer.unacknowledged = scripted.writer.next_offset
    scripted.more_waits = False
    await scripted.process(payment(2))
    assert scripted.steps == [SENT, SENT, "acknowledged", *HALTED]
    assert scripted.stored() == expected


async def test_doubt_reaches_partitions_that_the_failing_batch_does_not_name(
    scripted: Scripted,
) -> None:
    await first(scripted)
    await leave_under_way(scripted, is_doubtful=True)
    scripted.more_waits = False
    await scripted.desk.process([Slice(PARTITION + 1, 1, {}, {}, [], 0)])
    assert scripted.steps == [SENT, *HALTED]
    assert scripted.desk._owned.partitions == {}


async def test_dead_letter_waits_for_nothing_but_its_own_acknowledgement(
    scripted: Scripted,
) -> None:
    await first(scripted)
    await leave_under_way(scripted)
    await scripted.process(raw("transaction", 2, b"{"))
    assert scripted.steps == [
        SENT,
        ("append", [dead_topic(TRANSACTIONS.name)]),
        SENT,
        "acknowledged",
    ]


async def test_revoked_partition_is_let_go_once_what_is_under_way_is_durable(
    scripted: Scripted,
) -> None:
    await first(scripted)
    await leave_under_way(scripted)
    scripted.desk.intake.generation = 2
    await scripted.desk._revoked({PARTITION})
    assert scripted.steps == [SENT, "acknowledged"]
    assert scripted.desk._owned.partitions == {}


async def test_revoked_partition_is_let_go_though_what_is_under_way_is_in_doubt(
    scripted: Scripted,
) -> None:
    await first(scripted)
    await leave_under_way(scripted, is_doubtful=True)
    scripted.desk.intake.generation = 2
    await scripted.desk._revoked({PARTITION})
    assert "acknowledged" not in scripted.steps
    assert scripted.desk._owned.partitions == {}


async def test_unexpected_fault_leaves_nothing_of_what_was_under_way(scripted: Scripted) -> None:
    await first(scripted)
    before = scripted.saved()
    await leave_under_way(scripted)
    scripted.writer.fault = RuntimeError("nobody thought of this")
    await scripted.process(payment(2))
    assert [str(fault) for fault in scripted.halts] == ["nobody thought of this"]
    assert scripted.bench.partition.position == scripted.bench.store.position
    await scripted.desk._journaling.settle()  # nothing is left to be made durable
    assert scripted.stored() == before


async def test_full_disk_throws_back_what_the_journal_has(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    await first(scripted)
    store = scripted.bench.store
    monkeypatch.setattr(store, "_db", FullDisk(store._db))
    monkeypatch.setattr("streams.desk.store.UNSAVED_S", 0.0)
    await scripted.process(payment(1))
    assert scripted.steps == [SENT, "acknowledged", *HALTED]
    assert scripted.halts == []


async def test_quiet_partition_is_written_though_no_record_comes(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    await first(scripted)
    before = contents(scripted.bench.store)
    monkeypatch.setattr("streams.desk.store.UNSAVED_S", 0.0)
    at = scripted.bench.partition.position.sources
    await scripted.desk.process([Slice(PARTITION, 1, at, at, [], 0)])
    assert len(before) == 1  # the position behind the claim
    assert len(contents(scripted.bench.store)) == len(scripted.saved()) > 1
