import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from schemas.errors import UnavailableError
from streams.intake.batches import Batch, Slice
from streams.intake.intake import IN_FLIGHT, Intake

PATIENCE_S = 10.0


class FakeMessage:
    def __init__(self, topic: str, partition: int, offset: int, ms: int, end: bool) -> None:
        self._place, self._offset, self._ms, self._end = (topic, partition), offset, ms, end

    def topic(self) -> str:
        return self._place[0]

    def partition(self) -> int:
        return self._place[1]

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, self._ms

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"%d" % self._offset

    def error(self) -> Any:
        return KafkaError(KafkaError._PARTITION_EOF) if self._end else None


class FakeConsumer:
    """Logs in memory; a re-assignment leaves what was fetched in front, if told so.

    What is paused stays paused over an assignment, as in librdkafka.
    """

    def __init__(self, logs: dict[tuple[str, int], list[int]]) -> None:
        self.logs = logs  # publishing times by place; the index is the offset
        self.stale = False
        self.fetched: deque[FakeMessage] = deque()
        self.assigned: dict[tuple[str, int], int] = {}
        self.ended: set[tuple[str, int]] = set()
        self.paused: set[tuple[str, int]] = set()
        self.paused_count = 0
        self.assign_count = 0
        self.rebalances: deque[str] = deque(["assign"])
        self.closed = threading.Event()
        self.callbacks: dict[str, Callable[..., None]] = {}

    def subscribe(self, topics: list[str], **callbacks: Callable[..., None]) -> None:
        self.callbacks = callbacks

    def assign(self, places: list[TopicPartition]) -> None:
        if not self.stale:
            self.fetched.clear()
        self.assign_count += 1
        self.assigned = {(p.topic, p.partition): max(p.offset, 0) for p in places}
        self.ended.clear()

    def unassign(self) -> None:
        self.assign([])

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(*place) for place in self.assigned]

    def pause(self, places: list[TopicPartition]) -> None:
        self.paused |= {(place.topic, place.partition) for place in places}
        self.paused_count += 1

    def resume(self, places: list[TopicPartition]) -> None:
        self.paused -= {(place.topic, place.partition) for place in places}

    def consumer_group_metadata(self) -> str:
        return "membership"

    def poll(self, timeout_s: float) -> FakeMessage | None:
        if self.rebalances:
            kind = self.rebalances.popleft()
            self.callbacks[f"on_{kind}"](self, [TopicPartition(*place) for place in self.logs])
            return None
        self._fetch()
        if self.fetched:
            return self.fetched.popleft()
        time.sleep(min(timeout_s, 0.002))
        return None

    def consume(self, count: int, timeout_s: float) -> list[FakeMessage]:
        return [self.fetched.popleft() for _ in range(min(count, len(self.fetched)))]

    def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, len(self.logs[place.topic, place.partition])

    def close(self) -> None:
        if self.assigned:
            self.callbacks["on_revoke"](self, self.assignment())
        self.closed.set()

    def _fetch(self) -> None:
        for place, at in list(self.assigned.items()):
            if place in self.paused:
                continue
            log = self.logs[place]
            for offset in range(at, min(at + 3, len(log))):
                self.fetched.append(FakeMessage(*place, offset, log[offset], False))
                self.assigned[place] = offset + 1
            if self.assigned[place] >= len(log) and place not in self.ended:
                self.ended.add(place)
                self.fetched.append(FakeMessage(*place, len(log), 0, True))


class Reader:
    """Takes slices only where they continue, as every reader does."""

    def __init__(self, consumer: FakeConsumer, *, batch_records: int = 4) -> None:
        self.consumer = consumer
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()
        self.revoked: list[set[int]] = []
        self.hold_revocation = asyncio.Event()
        self.hold_revocation.set()
        self.generation = -1
        self.positions: dict[tuple[str, int], int] = {}
        self.taken: dict[tuple[str, int], list[int]] = {}
        self.intake = Intake(
            consumer,  # type: ignore[arg-type]  # scripted
            ["t", "u"],
            deliver=self.batches.put,
            assigned=self.on_assigned,
            revoked=self.on_revoked,
            batch_records=batch_records,
            idle_s=0.02,
        )

    async def on_assigned(self, numbers: set[int], generation: int) -> None:
        self.generation = generation
        for number in numbers:
            self.rewind(number)

    async def on_revoked(self, numbers: set[int]) -> None:
        self.revoked.append(numbers)
        await self.hold_revocation.wait()

    def rewind(self, number: int) -> None:
        at = {topic: at for (topic, n), at in self.positions.items() if n == number}
        self.intake.start(number, self.generation, at)

    def read(self, part: Slice) -> None:
        for topic, at in part.continues.items():
            if self.positions.get((topic, part.partition), -2) != at:
                self.rewind(part.partition)
                return
        for raw in part.records:
            self.taken.setdefault((raw.topic, part.partition), []).append(raw.offset)
        for topic, end in part.ends.items():
            if end >= 0:
                self.positions[(topic, part.partition)] = end

    async def next(self) -> Batch:
        return await asyncio.wait_for(self.batches.get(), PATIENCE_S)

    async def until(self, there: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not there():
                for part in await self.next():
                    self.read(part)
                self.intake.done()


@pytest.fixture
async def opened() -> AsyncIterator[list[Reader]]:
    readers: list[Reader] = []
    yield readers
    for reader in readers:
        reader.hold_revocation.set()
        await reader.intake.close()


def logs(**lengths: int) -> dict[tuple[str, int], list[int]]:
    return {(name[0], int(name[1:])): list(range(n)) for name, n in lengths.items()}


async def start(opened: list[Reader], consumer: FakeConsumer, **more: int) -> Reader:
    reader = Reader(consumer, **more)
    opened.append(reader)
    reader.intake.open(asyncio.get_running_loop())
    return reader


def whole(consumer: FakeConsumer) -> dict[tuple[str, int], list[int]]:
    return {place: list(range(len(log))) for place, log in consumer.logs.items() if log}


async def test_intake_gives_every_record_once_and_in_order(opened: list[Reader]) -> None:
    consumer = FakeConsumer(logs(t0=20, u0=7, t1=9, u1=0))
    reader = await start(opened, consumer)
    await reader.until(lambda: reader.taken == whole(consumer))


@pytest.mark.parametrize("stale", [False, True])
async def test_intake_skips_nothing_when_a_batch_is_lost_and_reread(
    opened: list[Reader], stale: bool
) -> None:
    consumer = FakeConsumer(logs(t0=40, u0=13))
    consumer.stale = stale
    reader = await start(opened, consumer)
    lost = 0
    async with asyncio.timeout(PATIENCE_S):
        while reader.taken != whole(consumer):
            batch = await reader.next()
            if any(part.records for part in batch) and lost < 5:
                lost += 1  # as if its reader had thrown it back
            else:
                for part in batch:
                    reader.read(part)
            reader.intake.done()
    assert lost == 5


async def test_intake_merges_topics_by_publishing_time(opened: list[Reader]) -> None:
    consumer = FakeConsumer({("t", 0): [10, 30, 50], ("u", 0): [20, 40]})
    reader = await start(opened, consumer, batch_records=10)
    (part,) = await reader.next()
    assert [raw.published_ms for raw in part.records] == [10, 20, 30, 40, 50]
    assert (part.continues, part.ends) == ({"t": -2, "u": -2}, {"t": 3, "u": 2})


async def test_intake_tells_when_all_was_read_and_where_the_quiet_partition_stands(
    opened: list[Reader],
) -> None:
    consumer = FakeConsumer(logs(t0=2, u0=0))
    reader = await start(opened, consumer)
    await reader.until(lambda: reader.taken == whole(consumer))
    batch = await reader.next()
    while any(part.records or part.unread_ms is not None for part in batch):
        reader.intake.done()
        batch = await reader.next()
    (quiet,) = batch
    assert quiet.continues == quiet.ends == {"t": 2, "u": -2}


async def test_slice_names_the_positions_of_topics_without_a_record_in_it(
    opened: list[Reader],
) -> None:
    consumer = FakeConsumer({("t", 0): [10, 20], ("u", 0): []})
    reader = await start(opened, consumer, batch_records=10)
    (part,) = await reader.next()
    assert (part.continues, part.ends) == ({"t": -2, "u": -2}, {"t": 2, "u": -2})


async def test_all_read_asks_the_broker_not_what_was_once_noted(opened: list[Reader]) -> None:
    consumer = FakeConsumer(logs(t0=2, u0=0))
    reader = await start(opened, consumer)
    batch = await reader.next()
    while any(part.records or part.unread_ms is not None for part in batch):
        reader.intake.done()
        batch = await reader.next()
    (quiet,) = batch
    assert await reader.intake.all_read(quiet)
    consumer.paused.add(("u", 0))  # as if the process had slept: published, but not yet heard of
    consumer.logs["u", 0].append(1)
    assert not await reader.intake.all_read(quiet)


async def test_quiet_partition_gets_its_time_while_another_is_busy(opened: list[Reader]) -> None:
    consumer = FakeConsumer(logs(t0=100_000, u0=0, t1=1, u1=0))
    reader = await start(opened, consumer)
    quiet_count = 0
    while quiet_count < 3:
        for part in await reader.next():
            reader.read(part)
            quiet_count += part.partition == 1 and not part.records
        reader.intake.done()
    assert len(reader.taken["t", 0]) < 100_000


async def test_full_channel_pauses_and_nothing_is_skipped(
    opened: list[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.intake.intake.PATIENCE_S", 0.05)
    consumer = FakeConsumer(logs(t0=60, u0=20))
    reader = await start(opened, consumer)
    deadline_s = time.monotonic() + PATIENCE_S
    while consumer.paused_count < 3 and time.monotonic() < deadline_s:
        await asyncio.sleep(0.01)
    assert consumer.paused_count >= 3
    assert reader.batches.qsize() <= IN_FLIGHT
    await reader.until(lambda: reader.taken == whole(consumer))


async def test_process_that_was_stopped_for_long_has_not_waited_so_long(
    opened: list[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    started_s = time.monotonic()
    monkeypatch.setattr(
        "streams.intake.intake.time",
        SimpleNamespace(monotonic=lambda: 100 * (time.monotonic() - started_s), sleep=time.sleep),
    )
    consumer = FakeConsumer(logs(t0=60, u0=60))
    reader = await start(opened, consumer)
    async with asyncio.timeout(PATIENCE_S):
        while reader.batches.qsize() < IN_FLIGHT:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.3)  # half a minute by the clock
    assert consumer.paused_count == 0
    await reader.until(lambda: reader.taken == whole(consumer))


async def test_partitions_that_go_while_paused_come_back_running(
    opened: list[Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.intake.intake.PATIENCE_S", 0.05)
    consumer = FakeConsumer(logs(t0=60, u0=20))
    reader = await start(opened, consumer)
    while not consumer.paused:
        await asyncio.sleep(0.005)
    consumer.rebalances.append("revoke")
    while not reader.revoked:
        await asyncio.sleep(0.005)
    for _ in range(IN_FLIGHT):
        await reader.next()
        reader.intake.done()
    consumer.rebalances.append("assign")
    await reader.until(lambda: reader.taken == whole(consumer))


async def test_revocation_ends_the_generation_and_answers_who_asks(opened: list[Reader]) -> None:
    consumer = FakeConsumer(logs(t0=5, u0=5))
    reader = await start(opened, consumer)
    await reader.until(lambda: reader.taken == whole(consumer))
    before = reader.intake.generation
    reader.hold_revocation.clear()
    consumer.rebalances.append("revoke")
    while not reader.revoked:
        await asyncio.sleep(0.005)
    assert reader.intake.generation > before
    asked = reader.intake.call(lambda there: there is consumer)  # type: ignore[comparison-overlap]
    assert await asyncio.wait_for(asked, PATIENCE_S)  # while the thread waits for the reader
    reader.hold_revocation.set()
    consumer.rebalances.append("assign")
    consumer.logs["t", 0].append(99)
    await reader.until(lambda: reader.taken == whole(consumer))


async def test_revocation_keeps_the_partitions_until_its_reader_is_done(
    opened: list[Reader],
) -> None:
    consumer = FakeConsumer(logs(t0=5, u0=5))
    reader = await start(opened, consumer)
    await reader.until(lambda: reader.taken == whole(consumer))
    reader.hold_revocation.clear()
    consumer.rebalances.append("revoke")
    while not reader.revoked:
        await asyncio.sleep(0.005)
    for _ in range(10):  # the thread comes round to requests while it waits
        await asyncio.wait_for(reader.intake.call(lambda there: 1), PATIENCE_S)
    assert consumer.assigned  # nobody else can have them yet
    reader.hold_revocation.set()
    while consumer.assigned:
        await asyncio.sleep(0.005)


async def test_closed_intake_answers_that_it_is_closed(opened: list[Reader]) -> None:
    reader = await start(opened, FakeConsumer(logs(t0=1, u0=0)))
    await reader.until(lambda: bool(reader.taken))
    await reader.intake.close()
    assert reader.consumer.closed.is_set()
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(reader.intake.call(lambda there: 1), PATIENCE_S)


async def test_gap_in_the_log_ends_the_intake(opened: list[Reader]) -> None:
    consumer = FakeConsumer(logs(t0=3, u0=0))
    reader = await start(opened, consumer)
    await reader.until(lambda: bool(reader.taken))
    gap = FakeMessage("t", 0, 3, 0, True)
    gap.error = lambda: KafkaError(KafkaError._AUTO_OFFSET_RESET)  # type: ignore[method-assign]
    consumer.fetched.append(gap)
    deadline_s = time.monotonic() + PATIENCE_S
    while reader.intake.failure is None and time.monotonic() < deadline_s:
        await asyncio.sleep(0.01)
    assert reader.intake.failure is not None


async def test_fatal_fault_of_the_client_ends_the_intake(opened: list[Reader]) -> None:
    """E.g. another member with the same name: no call of this client succeeds any more."""
    consumer = FakeConsumer(logs(t0=5, u0=5))
    reader = await start(opened, consumer)
    await reader.until(lambda: reader.taken == whole(consumer))
    fault = FakeMessage("t", 0, 0, 0, end=False)
    fault.error = lambda: KafkaError(KafkaError._FATAL)  # type: ignore[method-assign]
    consumer.fetched.append(fault)
    while reader.intake.failure is None:
        await asyncio.sleep(0.01)
    assert "_FATAL" in str(reader.intake.failure)


async def test_reader_knows_whether_another_batch_waits_behind_the_one_it_has(
    opened: list[Reader],
) -> None:
    consumer = FakeConsumer(logs(t0=12, u0=0))
    assert not Reader(consumer).intake.more_waits()
    reader = await start(opened, consumer)
    await reader.next()
    async with asyncio.timeout(PATIENCE_S):
        while not reader.intake.more_waits():
            await asyncio.sleep(0.005)
    await reader.next()
    assert reader.intake.more_waits()  # both are being dealt with
    reader.intake.done()
    reader.intake.done()
