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
                self._offsets[index] = message.offset() or 0

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
    """What is known of the records of one partition: the first one's answer, and the others'."""

    __slots__ = ("count", "first", "others")

    def __init__(self) -> None:
        self.count = 0
        self.first: dict[KafkaError | None, Message] = {}
        self.others: dict[KafkaError | None, Message] = {}
        """The newest answer by fault; ``None`` is none."""

    def offsets(self) -> Iterator[int]:
        """Give the offsets of the records, if they stand one behind the other; else -1.

        All were acknowledged, and in order: so where the last one stands ``count`` - 1 behind the
        first, there is no room for anybody else's between them.
        """
        first, last = self.first.get(None), (self.others or self.first).get(None)
        if first is None or last is None:
            return repeat(-1)
        start, end = first.offset() or 0, last.offset() or 0
        return count(start) if end - start == self.count - 1 else repeat(-1)


class TogetherFlight(Flight):
    """The same for records that must stand one behind the other on each partition.

    A dictionary takes the answers: what Python need not be called for costs a third.
    """

    def __init__(self, producer: Producer, records: list[Outgoing]) -> None:
        self._places = [(record.topic, record.partition) for record in records]
        self._runs = {place: _Run() for place in self._places}
        super().__init__(producer, records)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the acknowledgements; tell whether nothing is under way any more."""
        done = super().wait(timeout_s)
        answers = chain.from_iterable((run.first, run.others) for run in self._runs.values())
        self.faults = [fault for answer in answers for fault in answer if fault is not None]
        return done

    def offsets(self) -> list[int]:
        """Give the offset of each record, in order; -1 where they do not stand together."""
        following = {place: run.offsets() for place, run in self._runs.items()}
        return [next(following[place]) for place in self._places]

    def _acknowledging(self, index: int) -> Acknowledged:
        run = self._runs[self._places[index]]
        run.count += 1
        return (run.others if run.count > 1 else run.first).__setitem__
