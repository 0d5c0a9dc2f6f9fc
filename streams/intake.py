"""Whole batches of records per partition, read by librdkafka in a thread of its own.

The thread owns the consumer: its membership, its rebalances, its positions. It hands batches to a
Faust channel and takes requests (start here, rewind to there, commit that) in between two polls.
No more than ``IN_FLIGHT`` batches are under way; then it goes on polling with the partitions
paused, so that the membership lives while a neighbour is away.

Each slice of a batch says from which positions it continues. A reader that finds a gap refuses
the slice and asks for a rewind, so that a lost batch can never be skipped over.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import structlog
from confluent_kafka import OFFSET_BEGINNING, Message

from streams.kafka import Consumer, KafkaError, KafkaException, TopicPartition

log = structlog.get_logger(__name__)

T = TypeVar("T")

IN_FLIGHT = 4
POLL_S = 0.05
PATIENCE_S = 1.0
"""How long a full channel is waited for before the partitions are paused."""
HANDOVER_S = 30.0
"""How long a revocation waits for batches in flight; claims protect the journal beyond it."""

Positions = Mapping[str, int]
"""Next offset by topic; ``OFFSET_BEGINNING`` where nothing was read yet."""


class Raw(NamedTuple):
    """One record as it came."""

    published_ms: int
    topic: str
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive records of one partition number, of all topics that are read together.

    Args:
        partition: The partition number.
        generation: Of the assignment that it was read under.
        continues: For each topic in it, the offset that was to come next when it was read.
        ends: For each topic in it, the offset that comes next after it.
        records: In order within a topic, merged by publishing time across topics.
        unread_ms: Publishing time below which nothing is unread, in ms; ``None`` if all was read.
    """

    partition: int
    generation: int
    continues: Positions
    ends: Positions
    records: list[Raw]
    unread_ms: int | None


Batch = list[Slice]


class Intake:
    """Reads topics as a member of a group and hands over batches, in order, without a gap.

    Args:
        consumer: Made for this intake alone.
        topics: Read together: the same partition numbers of all go to the same member.
        deliver: Takes a batch, in the event loop; may wait.
        assigned: Told (in the loop) which partition numbers came, with their generation; it must
            in time call :meth:`start` for each.
        revoked: Told (in the loop) that they went; the thread waits for it.
        batch_records: Most records of one poll.
        idle_s: After so many seconds without a record an empty slice for each partition is
            delivered, so that readers can keep time.
    """

    def __init__(
        self,
        consumer: Consumer,
        topics: Iterable[str],
        *,
        deliver: Callable[[Batch], Coroutine[None, None, None]],
        assigned: Callable[[set[int], int], Coroutine[None, None, None]],
        revoked: Callable[[set[int]], Coroutine[None, None, None]],
        batch_records: int,
        idle_s: float = 1.0,
    ) -> None:
        self.consumer = consumer
        self.topics = tuple(topics)
        self.generation = 0
        self.membership: Any = None
        """The group's metadata at this generation, for a transaction that commits offsets."""
        self.failure: BaseException | None = None
        self._deliver = deliver
        self._assigned = assigned
        self._revoked = revoked
        self._batch_records = batch_records
        self._idle_s = idle_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._free = threading.Semaphore(IN_FLIGHT)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._unconfirmed: dict[tuple[str, int], tuple[int | None, int | None]] = {}
        """Since the last assignment unread: the first offset then and before, where one was
        skipped."""
        self._moved = False
        self._idle_since = 0.0
        self._owned: set[tuple[str, int]] = set()
        self._next: dict[tuple[str, int], int] = {}
        self._at_end: dict[tuple[str, int], bool] = {}
        self._read_ms: dict[tuple[str, int], int] = {}

    # -- called from the loop -------------------------------------------------------------------

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Join the group and begin to poll."""
        self._loop = loop
        self._thread.start()

    async def close(self) -> None:
        """Leave the group; batches in flight are given up by their reader first."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, HANDOVER_S)

    def start(self, partition: int, generation: int, positions: Positions) -> None:
        """Read a partition from ``positions`` on; also rewinds one that is being read."""
        self._requests.put(lambda: self._start(partition, generation, positions))

    def halt(self, partition: int, generation: int) -> None:
        """Stop reading a partition until :meth:`start` is called for it again."""
        self._requests.put(lambda: self._halt(partition, generation))

    def hint(self, offsets: list[TopicPartition]) -> None:
        """Commit offsets for lag displays only; failures are logged."""
        self._requests.put(lambda: self._hint(offsets))

    async def call(self, work: Callable[[Consumer], T]) -> T:
        """Do something with the consumer between two polls, in its thread, and give the result.

        The client lets no other thread in while one polls.
        """
        answer: Future[T] = Future()

        def serve() -> None:
            try:
                answer.set_result(work(self.consumer))
            except BaseException as fault:
                answer.set_exception(fault)

        self._requests.put(serve)
        return await asyncio.wrap_future(answer)

    def done(self) -> None:
        """Say that one delivered batch has been dealt with."""
        self._free.release()

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self.consumer.subscribe(
                list(self.topics),
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_revoke,
            )
            while not self._stopping.is_set():
                self._serve()
                batch = self._poll()
                if batch:
                    self._hand_over(batch)
        except BaseException as fault:
            self.failure = fault
            log.error("intake_failed", error=repr(fault))
        finally:
            self.consumer.close()

    def _serve(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._requests.get_nowait()()
        if self._moved:
            self._assign()

    def _poll(self) -> Batch:
        first = self.consumer.poll(min(POLL_S, self._idle_s))
        if first is None:
            return self._idle()
        self._idle_since = time.monotonic()
        messages = [first, *self.consumer.consume(self._batch_records - 1, 0)]
        return self._group(messages)

    def _idle(self) -> Batch:
        if time.monotonic() - self._idle_since < self._idle_s:
            return []
        self._idle_since = time.monotonic()
        return [
            Slice(partition, self.generation, {}, {}, [], self._unread_ms(partition))
            for partition in sorted({p for _, p in self._next})
        ]

    def _group(self, messages: list[Message]) -> Batch:
        runs: dict[tuple[str, int], list[Raw]] = {}
        for message in messages:
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            fault = message.error()
            if fault is not None:
                self._fault(fault, topic, partition, offset)
                continue
            place = (str(topic), int(partition or 0))
            if not self._expects(place, int(offset or 0), runs.get(place)):
                continue
            self._at_end[place] = False
            raw = Raw(
                message.timestamp()[1], place[0], int(offset or 0), message.key(), message.value()
            )
            runs.setdefault(place, []).append(raw)
        by_partition: dict[int, list[tuple[str, list[Raw]]]] = {}
        for (topic_name, number), records in runs.items():
            by_partition.setdefault(number, []).append((topic_name, records))
        return [self._slice(number, parts) for number, parts in sorted(by_partition.items())]

    def _expects(self, place: tuple[str, int], offset: int, run: list[Raw] | None) -> bool:
        """Tell whether a record is the next one; records of an earlier assignment are not.

        An offset may be skipped (a transaction's marker has one), but the first record after an
        assignment skips some only if it does so again when it is read anew.
        """
        expected = run[-1].offset + 1 if run else self._next.get(place)
        if expected is None or offset < expected:
            return False
        if run is None and offset > expected >= 0 and place in self._unconfirmed:
            before, now = self._unconfirmed[place]
            if offset != before:
                if now is None:
                    self._unconfirmed[place] = (before, offset)
                    self._moved = True
                return False
        self._unconfirmed.pop(place, None)
        return True

    def _slice(self, partition: int, parts: list[tuple[str, list[Raw]]]) -> Slice:
        continues, ends = {}, {}
        for topic, records in parts:
            place = (topic, partition)
            continues[topic] = self._next[place]
            ends[topic] = self._next[place] = records[-1].offset + 1
            self._read_ms[place] = records[-1].published_ms
        records = (
            parts[0][1]
            if len(parts) == 1
            else list(merge(*(records for _, records in parts), key=attrgetter("published_ms")))
        )
        return Slice(
            partition, self.generation, continues, ends, records, self._unread_ms(partition)
        )

    def _unread_ms(self, partition: int) -> int | None:
        unread = [
            self._read_ms.get(place, 0)
            for place in self._places(partition)
            if not self._at_end.get(place, False)
        ]
        return min(unread, default=None)

    def _fault(self, fault: KafkaError, topic: Any, partition: Any, offset: Any) -> None:
        place = (topic, partition)
        if fault.code() == KafkaError._PARTITION_EOF:
            self._at_end[place] = True
        elif fault.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            raise KafkaException(fault)  # a gap: never read over it
        elif fault.fatal():
            raise KafkaException(fault)
        else:
            log.warning("broker_error", error=str(fault), topic=topic, partition=partition)

    def _hand_over(self, batch: Batch) -> None:
        if any(not part.records for part in batch) and not self._free.acquire(blocking=False):
            return  # only the time; a reader that is busy needs no reminder
        if all(part.records for part in batch):
            self._wait_free()
        if self._stopping.is_set() or self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._deliver(batch), self._loop)

    def _wait_free(self) -> None:
        patient_until_s = time.monotonic() + PATIENCE_S
        while not self._stopping.is_set() and time.monotonic() < patient_until_s:
            if self._free.acquire(timeout=POLL_S):
                return
            self._serve()
        self._wait_paused()

    def _wait_paused(self) -> None:
        while not self._stopping.is_set() and not self._free.acquire(blocking=False):
            assignment = self.consumer.assignment()
            with suppress(KafkaException):
                self.consumer.pause(assignment)
            self._serve()
            stray = self.consumer.poll(POLL_S)
            if stray is not None and stray.error() is None:
                self._rewind_to(stray)
        with suppress(KafkaException):
            self.consumer.resume(self.consumer.assignment())

    def _rewind_to(self, stray: Message) -> None:
        """Give back a record that came while paused: it is read again after."""
        place = (str(stray.topic()), int(stray.partition() or 0))
        if place in self._next:
            self._moved = True

    def _start(self, partition: int, generation: int, positions: Positions) -> None:
        if generation != self.generation:
            return
        for place in self._places(partition):
            self._next[place] = positions.get(place[0], OFFSET_BEGINNING)
            self._at_end[place] = False
        self._moved = True

    def _halt(self, partition: int, generation: int) -> None:
        if generation == self.generation:
            for place in self._places(partition):
                self._next.pop(place, None)
            self._moved = True

    def _places(self, partition: int) -> list[tuple[str, int]]:
        return [place for place in sorted(self._owned) if place[1] == partition]

    def _assign(self) -> None:
        self._moved = False
        self._unconfirmed = {
            place: (self._unconfirmed.get(place, (None, None))[1], None) for place in self._next
        }
        self.consumer.assign(
            [TopicPartition(topic, number, at) for (topic, number), at in self._next.items()]
        )

    def _hint(self, offsets: list[TopicPartition]) -> None:
        try:
            self.consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as fault:
            log.warning("commit_failed", error=str(fault))

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.generation += 1
        self._next.clear()
        self._owned = {(each.topic, each.partition) for each in partitions}
        consumer.assign([])
        numbers = {each.partition for each in partitions}
        self.membership = consumer.consumer_group_metadata()
        self._call(self._assigned(numbers, self.generation), wait=False)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.generation += 1
        gone = {each.partition for each in partitions}
        self._next.clear()
        self._owned = set()
        self._call(self._revoked(gone), wait=True)
        with suppress(KafkaException):
            consumer.unassign()

    def _call(self, coroutine: Coroutine[None, None, None], *, wait: bool) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        if wait:
            with suppress(TimeoutError):
                future.result(HANDOVER_S)
