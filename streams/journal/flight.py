"""Records on their way to the log, and what their acknowledgements say."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import NamedTuple, cast

from streams.kafka import KafkaError, Message, Producer

Acknowledged = Callable[[KafkaError | None, Message], None]
Place = tuple[str, int]
"""Topic and partition."""


class Outgoing(NamedTuple):
    """One record to be appended."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Flight(ABC):
    """Records that were handed to a producer, until each of them is answered for.

    Args:
        producer: What else it has under way was handed to it before.
        records: To be sent.
    """

    def __init__(self, producer: Producer, records: list[Outgoing]) -> None:
        self.count = len(records)
        self._producer = producer
        for index, record in enumerate(records):
            self._send(record, self._answering(index, record))

    def wait(self, timeout_s: float, *, newest: bool = True) -> bool:
        """Wait for the answers; tell whether nothing is under way any more.

        Args:
            timeout_s: Seconds.
            newest: The producer was handed nothing since, and need not gather any longer.
        """
        if newest:
            return not self._producer.flush(timeout_s)
        until_s = time.monotonic() + timeout_s
        while self.answered_count() < self.count and len(self._producer):
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            self._producer.poll(left_s)
        return True

    @abstractmethod
    def answered_count(self) -> int:
        """Give of how many records it is known what became of them."""

    @abstractmethod
    def faults(self) -> list[KafkaError]:
        """Give what befell those that are not on the log; call it once, at the end."""

    @abstractmethod
    def _answering(self, index: int, record: Outgoing) -> Acknowledged:
        """Give what is to be called with the answer for a record."""

    def _send(self, record: Outgoing, answered: Acknowledged) -> None:
        produce, (topic, partition, key, value, headers) = self._producer.produce, record
        while True:
            try:
                if headers:
                    produce(topic, value, key, partition, answered, headers=list(headers))
                else:  # an empty list of them costs as much as all the rest
                    produce(topic, value, key, partition, answered)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return


class SingleFlight(Flight):
    """Records that have nothing to do with each other."""

    def __init__(self, producer: Producer, records: list[Outgoing]) -> None:
        self._answers: dict[int, KafkaError | int] = {}
        super().__init__(producer, records)

    def answered_count(self) -> int:
        """Give of how many records it is known what became of them."""
        return len(self._answers)

    def faults(self) -> list[KafkaError]:
        """Give what befell those that are not on the log."""
        return [each for each in self._answers.values() if not isinstance(each, int)]

    def offsets(self) -> list[int]:
        """Give the offset of each record, in order; -1 where it is not known."""
        answers = [self._answers.get(index, -1) for index in range(self.count)]
        return [each if isinstance(each, int) else -1 for each in answers]

    def _answering(self, index: int, record: Outgoing) -> Acknowledged:
        def answered(fault: KafkaError | None, message: Message) -> None:
            self._answers[index] = _offset(message) if fault is None else fault

        return answered


class TogetherFlight(Flight):
    """Records that must stand one behind the other on each partition.

    Queues and dictionaries take the answers: Python itself need not be called for each.
    """

    def __init__(self, producer: Producer, records: list[Outgoing]) -> None:
        self._runs: dict[Place, _Run] = {}
        self._last = {(each.topic, each.partition): index for index, each in enumerate(records)}
        super().__init__(producer, records)

    def answered_count(self) -> int:
        """Give of how many records it is known what became of them."""
        return sum(run.answered_count() for run in self._runs.values())

    def faults(self) -> list[KafkaError]:
        """Give what befell those that are not on the log; call it once, at the end."""
        return [fault for run in self._runs.values() for fault in run.faults()]

    def offsets(self) -> dict[Place, range]:
        """Give where the records of each partition stand; nothing where not together."""
        return {place: run.offsets() for place, run in self._runs.items()}

    def _answering(self, index: int, record: Outgoing) -> Acknowledged:
        place = (record.topic, record.partition)
        run = self._runs.get(place)
        if run is None:
            run = self._runs[place] = _Run()
        run.count += 1
        if run.count == 1:
            return run.first.__setitem__
        if index == self._last[place]:
            return run.last.__setitem__
        return cast(Acknowledged, run.between.put)


class _Run:
    """What is known of the records of one partition: answers by fault, ``None`` for none."""

    __slots__ = ("between", "count", "first", "last")

    def __init__(self) -> None:
        self.count = 0
        self.first: dict[KafkaError | None, Message] = {}
        self.between: SimpleQueue[KafkaError | None] = SimpleQueue()
        """The faults of all the others; its ``put`` has no use for a second argument."""
        self.last: dict[KafkaError | None, Message] = {}

    def answered_count(self) -> int:
        return len(self.first) + self.between.qsize() + len(self.last)

    def faults(self) -> Iterator[KafkaError]:
        between = [self.between.get_nowait() for _ in range(self.between.qsize())]
        for answers in (self.first, between, self.last):
            yield from (fault for fault in answers if fault is not None)

    def offsets(self) -> range:
        """Give the offsets of the records, if they stand one behind the other; else none.

        All were acknowledged, and stand in order: so where the last one stands ``count`` - 1
        behind the first, there is no room for anybody else's between them.
        """
        first, last = self.first.get(None), (self.last or self.first).get(None)
        if first is None or last is None:
            return range(0)
        start, end = _offset(first), _offset(last) + 1
        return range(start, end) if start >= 0 and end - start == self.count else range(0)


def _offset(message: Message) -> int:
    """Give where a record stands; -1 where the broker has not said."""
    offset = message.offset()
    return -1 if offset is None else offset
