"""Publishes events and remembers, by position, what the broker has acknowledged."""

from collections import Counter

from schemas.errors import UnavailableError
from streams.kafka import KafkaError, make_producer
from streams.settings import KafkaSettings

FLUSH_S = 60.0


class Feed:
    """An upstream system with a good memory.

    Args:
        kafka: The broker.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._producer = make_producer(kafka, linger_ms=2)
        self.ends: dict[tuple[str, int], int] = {}
        """Offset behind the last acknowledged record, by topic and partition."""
        self.positions: set[tuple[str, int, int]] = set()
        """Every acknowledged record."""
        self.counts: Counter[str] = Counter()
        """Acknowledged records by topic."""
        self._faults: list[str] = []

    def send(self, topic: str, key: str, value: bytes) -> None:
        """Publish one event.

        Raises:
            UnavailableError: the broker refused an earlier one.
        """
        while True:
            try:
                self._producer.produce(
                    topic, value=value, key=key.encode(), on_delivery=self._delivered
                )
            except BufferError:
                self._producer.poll(0.05)
            else:
                self._producer.poll(0)
                break
        self._check()

    def flush(self) -> None:
        """Wait until everything is acknowledged.

        Raises:
            UnavailableError: it was not.
        """
        if self._producer.flush(FLUSH_S):
            raise UnavailableError("the broker did not acknowledge the published events")
        self._check()

    def _check(self) -> None:
        if self._faults:
            raise UnavailableError(f"an event was not taken: {self._faults[0]}")

    def _delivered(self, fault: KafkaError | None, message: object) -> None:
        if fault is not None:
            self._faults.append(str(fault))
            return
        topic, partition, offset = (
            message.topic(),  # type: ignore[attr-defined]  # a confluent_kafka.Message
            message.partition(),  # type: ignore[attr-defined]
            message.offset(),  # type: ignore[attr-defined]
        )
        self.counts[topic] += 1
        self.positions.add((topic, partition, offset))
        self.ends[(topic, partition)] = max(self.ends.get((topic, partition), 0), offset + 1)
