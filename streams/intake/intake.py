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
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import suppress
from heapq import merge
from operator import attrgetter
from typing import Any, TypeVar

import structlog
from confluent_kafka import Message

from schemas.errors import UnavailableError
from streams.intake.batches import Batch, Raw, Slice
from streams.intake.continuity import Continuity, Place, Positions
from streams.intake.sight import Sight
from streams.kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
    end_offset,
    is_gap,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")

IN_FLIGHT = 2
POLL_S = 0.05
ANSWER_S = 0.005
PATIENCE_S = 1.0
"""How long a full channel is waited for before the partitions are paused, which costs what the
client has fetched already."""
LOOK_EVERY_S = 0.5
"""How old what others see of the positions may get."""
HANDOVER_S = 30.0
"""How long a revocation waits for batches in flight; claims protect the journal beyond it."""


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
        idle_s: A partition from which nothing came for so many seconds gets an empty slice, so
            that readers can keep time.
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
        self.sight = Sight()
        """For other threads, which may not ask the consumer."""
        self._deliver = deliver
        self._assigned = assigned
        self._revoked = revoked
        self._batch_records = batch_records
        self._idle_s = idle_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._free = threading.Semaphore(IN_FLIGHT)
        self._handed_over_count = 0
        self._done_count = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._ended = threading.Event()
        self._continuity = Continuity()
        self._heard_at: dict[int, float] = {}
        self._joined = False
        self._look_at_s = 0.0

    # -- called from the loop -------------------------------------------------------------------

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Join the group and begin to poll."""
        self._loop = loop
        self._thread.start()

    async def close(self) -> None:
        """Leave the group; batches in flight are given up by their reader first."""
        self._stopping.set()
        if self._thread.is_alive():
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

        Raises:
            UnavailableError: the intake has been closed.
        """
        answer: Future[T] = Future()

        def serve() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                if self._ended.is_set():
                    raise UnavailableError("the intake is closed")
                answer.set_result(work(self.consumer))
            except BaseException as fault:
                answer.set_exception(fault)

        self._requests.put(serve)
        if self._ended.is_set():
            self._answer_requests()
        return await asyncio.wrap_future(answer)

    async def all_read(self, quiet: Slice) -> bool:
        """Ask the broker whether nothing stands behind a slice without records.

        An end that was noted may be old: after a pause of the process, or of the network.

        Raises:
            UnavailableError: the broker does not answer.
        """

        def ask(consumer: Consumer) -> bool:
            number = quiet.partition
            if quiet.generation != self.generation:
                return False
            if self._continuity.positions(number) != quiet.ends:
                return False  # more was read since
            return all(
                self._continuity.end_of((topic, number)) == end_offset(consumer, topic, number)
                for topic in quiet.ends
            )

        return await self.call(ask)

    def done(self) -> None:
        """Say that one delivered batch has been dealt with."""
        self._done_count += 1
        self._free.release()

    def more_waits(self) -> bool:
        """Tell whether another batch follows the one that is being dealt with at once."""
        return self._handed_over_count - self._done_count > 1

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
            self.generation += 1
            self._ended.set()
            self._answer_requests()

    def _serve(self) -> None:
        self._answer_requests()
        if time.monotonic() >= self._look_at_s:
            self._look_at_s = time.monotonic() + LOOK_EVERY_S
            turn_count = self.sight.turn_count + 1
            self.sight = Sight(turn_count, self._joined, *self._continuity.copies())
        if self._continuity.moved:
            places = [
                TopicPartition(topic, number, at)
                for (topic, number), at in self._continuity.assignment().items()
            ]
            self.consumer.assign(places)
            self.consumer.resume(places)  # the client remembers what was paused before

    def _answer_requests(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._requests.get_nowait()()

    def _poll(self) -> Batch:
        first = self.consumer.poll(min(POLL_S, self._idle_s))
        batch: Batch = []
        if first is not None:
            more = self.consumer.consume(self._batch_records - 1, 0)
            batch = self._group([first, *more])
        return batch + self._quiet({part.partition for part in batch})

    def _quiet(self, heard: set[int]) -> Batch:
        """Give an empty slice of each partition that has been silent for a while."""
        now_s = time.monotonic()
        quiet = []
        for number in self._continuity.partitions():
            if number in heard:
                self._heard_at[number] = now_s
            elif now_s - self._heard_at.setdefault(number, now_s) >= self._idle_s:
                self._heard_at[number] = now_s
                at = self._continuity.positions(number)
                unread_ms = self._continuity.unread_ms(number)
                quiet.append(Slice(number, self.generation, at, at, [], unread_ms))
        return quiet

    def _group(self, messages: list[Message]) -> Batch:
        runs: dict[Place, list[Raw]] = {}
        before: dict[int, Positions] = {}
        for message in messages:
            fault = message.error()
            place = (str(message.topic()), int(message.partition() or 0))
            offset, published_ms = int(message.offset() or 0), message.timestamp()[1]
            if fault is not None:
                self._fault(fault, place, offset)
                continue
            if place[1] not in before:
                before[place[1]] = self._continuity.positions(place[1])
            if self._continuity.take(place, offset, published_ms):
                raw = Raw(published_ms, place[0], offset, message.key(), message.value())
                runs.setdefault(place, []).append(raw)
        by_partition: dict[int, dict[str, list[Raw]]] = {}
        for (topic, number), records in runs.items():
            by_partition.setdefault(number, {})[topic] = records
        return [
            self._slice(number, by_topic, before[number])
            for number, by_topic in sorted(by_partition.items())
        ]

    def _slice(self, partition: int, by_topic: dict[str, list[Raw]], before: Positions) -> Slice:
        after = self._continuity.positions(partition)
        return Slice(
            partition,
            self.generation,
            before,  # all topics: what is unread is known behind these positions only
            after,
            list(merge(*by_topic.values(), key=attrgetter("published_ms"))),
            self._continuity.unread_ms(partition),
        )

    def _fault(self, fault: KafkaError, place: Place, offset: int) -> None:
        if fault.code() == KafkaError._PARTITION_EOF:
            self._continuity.end(place, offset)
        elif fault.code() == KafkaError._FATAL or fault.fatal() or is_gap(fault):
            raise KafkaException(fault)
        else:
            log.warning("broker_error", error=str(fault), place=place)

    def _hand_over(self, batch: Batch) -> None:
        if any(part.records for part in batch):
            self._wait_free()
        elif not self._free.acquire(blocking=False):
            return  # only the time; a reader that is busy needs no reminder
        if self._stopping.is_set() or self._loop is None:
            return
        self._handed_over_count += 1
        asyncio.run_coroutine_threadsafe(self._deliver(batch), self._loop)

    def _wait_free(self) -> None:
        for _ in range(
            round(PATIENCE_S / POLL_S)
        ):  # by our own time, not that of a stopped process
            if self._stopping.is_set() or self._free.acquire(timeout=POLL_S):
                return
            self._serve()
        self._wait_paused()

    def _wait_paused(self) -> None:
        while not self._stopping.is_set() and not self._free.acquire(blocking=False):
            self._serve()
            with suppress(KafkaException):
                self.consumer.pause(self.consumer.assignment())
            stray = self.consumer.poll(POLL_S)
            if stray is None:
                continue
            place, fault = (str(stray.topic()), int(stray.partition() or 0)), stray.error()
            if fault is None:
                self._continuity.reread(place)
            else:
                self._fault(fault, place, int(stray.offset() or 0))
        with suppress(KafkaException):
            self.consumer.resume(self.consumer.assignment())

    def _start(self, partition: int, generation: int, positions: Positions) -> None:
        if generation == self.generation:
            self._continuity.start(partition, positions)

    def _halt(self, partition: int, generation: int) -> None:
        if generation == self.generation:
            self._continuity.halt(partition)

    def _hint(self, offsets: list[TopicPartition]) -> None:
        try:
            self.consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as fault:
            log.warning("commit_failed", error=str(fault))

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.generation += 1
        self._continuity.own((each.topic, each.partition) for each in partitions)
        self._joined, self._look_at_s = True, 0.0
        consumer.assign([])
        self.membership = consumer.consumer_group_metadata()
        self._tell(self._assigned({each.partition for each in partitions}, self.generation))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.generation += 1
        self._continuity.own(())
        self._joined, self._look_at_s = False, 0.0
        told = self._tell(self._revoked({each.partition for each in partitions}))
        patient_until_s = time.monotonic() + HANDOVER_S
        while told is not None and not told.done() and time.monotonic() < patient_until_s:
            self._answer_requests()  # what is in flight may have to ask the consumer to end
            time.sleep(ANSWER_S)
        with suppress(KafkaException):
            consumer.unassign()

    def _tell(self, coroutine: Coroutine[None, None, None]) -> Future[None] | None:
        if self._loop is None or self._loop.is_closed():
            coroutine.close()
            return None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
