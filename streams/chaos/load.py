"""The upstream systems of a campaign: they publish, remember what was acknowledged, misbehave."""

import queue
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from random import Random
from typing import NamedTuple

from schemas.errors import UnavailableError
from streams.chaos.published import Published
from streams.kafka import KafkaError, Producer, make_producer
from streams.settings import KafkaSettings
from streams.simulator.schedule import Scheduled

DELIVERY_MS = 20_000
"""How long a producer tries to have one event acknowledged; then it is thrown away."""
PATIENCE_S = 300.0
"""How long an upstream goes on with new producers."""
REMEMBERED_EVENTS = 1_000


class Record(NamedTuple):
    """One record to be published; without a partition murmur2 of the key chooses it."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


class Load:
    """Publishes a schedule no further ahead of the desks than it may.

    Args:
        kafka: The broker.
        decided_count: Tells how many input records were decided so far.
        most_waiting: So many records may wait to be decided.
    """

    def __init__(
        self, kafka: KafkaSettings, decided_count: Callable[[], int], most_waiting: int
    ) -> None:
        self.published = Published()
        self.ends: dict[tuple[str, int], int] = {}
        """Offset behind the last acknowledged record of each place."""
        self.acknowledged_count = 0
        self.sent_again_count = 0
        """Records that were not acknowledged in time and were therefore sent again."""
        self.refused_count = 0
        """Records that the broker would not take at any time: too large."""
        self._decided_count = decided_count
        self._most_waiting = most_waiting
        self._kafka = kafka
        self._producer = self._make_producer()
        self._doubted = False
        self._recent: deque[Record] = deque(maxlen=REMEMBERED_EVENTS)
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._held_back: list[Record] = []
        self._disorder: tuple[int, Random] | None = None

    # -- asked for by strikes, from any thread ---------------------------------------------------

    def inject(self, records: Iterable[Record]) -> None:
        """Have records published among the others."""
        burst = list(records)
        self._requests.put(lambda: self._send_all(burst))

    def repeat(self, count: int) -> None:
        """Have the last ``count`` events published again, byte for byte."""
        self._requests.put(lambda: self._send_all(list(self._recent)[-count:]))

    def disorder(self, count: int, draw: Random) -> None:
        """Have the next ``count`` events held back and published in any order."""

        def begin() -> None:
            self._disorder = self._disorder or (count, draw)

        self._requests.put(begin)

    # -- the publishing thread -------------------------------------------------------------------

    def publish(self, event: Scheduled) -> None:
        """Publish one event of the schedule; waits while too many are undecided."""
        self._serve()
        while self.acknowledged_count - self._decided_count() > self._most_waiting:
            self._producer.poll(0.05)
            self._serve()
        record = Record(event.topic, event.key.encode(), event.value)
        if self._disorder is None:
            self._send(record)
            self._recent.append(record)
            return
        self._held_back.append(record)
        if len(self._held_back) >= self._disorder[0]:
            self._release()

    def flush(self) -> None:
        """Publish what was held back and wait until everything is acknowledged.

        Raises:
            UnavailableError: it was not, within minutes.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        self._serve()
        self._release()
        while self._producer.flush(1.0) or not self._requests.empty():
            self._serve()
            if time.monotonic() > deadline_s:
                raise UnavailableError("the broker did not acknowledge the published events")

    def wait(self, seconds: float) -> None:
        """Go on serving for a while without publishing more of the schedule."""
        until_s = time.monotonic() + seconds
        while (remaining_s := until_s - time.monotonic()) > 0:
            self._serve()
            self._producer.poll(remaining_s)  # comes back earlier with every acknowledgement

    def _make_producer(self) -> Producer:
        return make_producer(self._kafka, linger_ms=2, delivery_timeout_ms=DELIVERY_MS)

    def _serve(self) -> None:
        if self._doubted:
            doubtful, self._producer = self._producer, self._make_producer()
            doubtful.purge()
            while doubtful.flush(0.1):  # has what it still held sent again
                continue
            self._doubted = False
        with suppress(queue.Empty):
            while True:
                self._requests.get_nowait()()

    def _release(self) -> None:
        if self._disorder is not None:
            _, draw = self._disorder
            draw.shuffle(self._held_back)
            for record in self._held_back:
                self._send(record)
            self._held_back, self._disorder = [], None

    def _send_all(self, records: Iterable[Record]) -> None:
        for record in records:
            self._send(record)

    def _send(self, record: Record) -> None:
        def delivered(fault: KafkaError | None, message: object) -> None:
            if fault is not None and fault.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                self.refused_count += 1
            elif fault is not None:
                self.sent_again_count += 1
                self._doubted = True
                self._requests.put(lambda: self._send(record))
            else:
                self._note(record, message)

        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=-1 if record.partition is None else record.partition,
                    on_delivery=delivered,
                )
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                return

    def _note(self, record: Record, message: object) -> None:
        partition, offset = message.partition(), message.offset()  # type: ignore[attr-defined]
        self.published.note(record.topic, partition, offset, record.key, record.value)
        place = (record.topic, partition)
        self.ends[place] = max(self.ends.get(place, 0), offset + 1)
        self.acknowledged_count += 1
