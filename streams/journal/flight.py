"""Records on their way to the log, and what their acknowledgements say."""

from collections.abc import Callable, Iterator
from itertools import chain, count, repeat
from typing import NamedTuple

from streams.kafka import KafkaError, Message, Producer

Acknowledged = Callable[[KafkaError | None, Message], None]


class Outgoing(NamedTuple):
    """One record to be appended."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Flight:
    """Records that were handed to a producer, until each of them is acknowledged.

    Args:
        producer: Has nothing else under way.
        records: To be sent.

    Attributes:
        faults: Of those that failed.
        unsent: How many were still under way when the wait ended.
    """

    def __init__(self, producer: Producer, records: list[Outgoing]) -> None:
        self._producer = producer
        self._offsets = [-1] * len(records)
        self.faults: list[KafkaError] = []
        self.unsent = len(records)
        for index, record in enumerate(records):
            self._send(record, self._acknowledging(index))

    def wait(self, timeout_s: float) -> bool:
        """Wait for the acknowledgements; tell whether nothing is under way any more."""
        self.unsent = self._producer.flush(timeout_s)
        return not self.unsent

    def offsets(self) -> list[int]:
        """Give the offset of each record, in order; -1 where it is not known."""
        return self._offsets

    def _acknowledging(self, index: int) -> Acknowledged:
        def acknowledged(fault: KafkaError | None, message: Message) -> None:
            if fault is not None:
                self.faults.append(fault)
            else:
                self._offsets[index] = _offset(message)

        return acknowledged

    def _send(self, record: Outgoing, acknowledged: Acknowledged) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                    on_delivery=acknowledged,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return


class _Run:
    """What is known of the records of one partition: answers by fault, ``None`` for none."""

    __slots__ = ("between", "count", "first", "last")

    def __init__(self) -> None:
        self.count = 0
        self.first: dict[KafkaError | None, Message] = {}
        self.between: dict[KafkaError | None, Message] = {}
        """The newest answer of all the others."""
        self.last: dict[KafkaError | None, Message] = {}

    def offsets(self) -> Iterator[int]:
        """Give the offsets of the records, if they stand one behind the other; else -1.

        All were acknowledged, and stand in order: so where the last one stands ``count`` - 1
        behind the first, there is no room for anybody else's between them.
        """
        first, last = self.first.get(None), (self.last or self.first).get(None)
        if first is None or last is None:
            return repeat(-1)
        start, end = _offset(first), _offset(last)
        return count(start) if end - start == self.count - 1 else repeat(-1)


class TogetherFlight(Flight):
    """The same for records that must stand one behind the other on each partition.

    A dictionary takes the answers: what Python need not be called for costs a third.
    """

    def __init__(self, producer: Producer, records: list[Outgoing]) -> None:
        self._places = [(record.topic, record.partition) for record in records]
        self._runs = {place: _Run() for place in self._places}
        self._last = {place: index for index, place in enumerate(self._places)}
        super().__init__(producer, records)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the acknowledgements; tell whether nothing is under way any more."""
        done = super().wait(timeout_s)
        answers = chain.from_iterable(
            (run.first, run.between, run.last) for run in self._runs.values()
        )
        self.faults = [fault for answer in answers for fault in answer if fault is not None]
        return done

    def offsets(self) -> list[int]:
        """Give the offset of each record, in order; -1 where they do not stand together."""
        following = {place: run.offsets() for place, run in self._runs.items()}
        return [next(following[place]) for place in self._places]

    def _acknowledging(self, index: int) -> Acknowledged:
        place = self._places[index]
        run = self._runs[place]
        run.count += 1
        if run.count == 1:
            return run.first.__setitem__
        return (run.last if index == self._last[place] else run.between).__setitem__


def _offset(message: Message) -> int:
    """Give where a record stands; -1 where the broker has not said."""
    offset = message.offset()
    return -1 if offset is None else offset
