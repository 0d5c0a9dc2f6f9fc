"""The topics as a comparison reads them: whole, in order, committed records only."""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from schemas.errors import UnavailableError
from streams.journal.reader import read_messages
from streams.kafka import end_offset, make_consumer
from streams.settings import KafkaSettings

PATIENCE_S = 90.0
"""Longer than a killed publisher's transaction stays open."""


class Stood(NamedTuple):
    """One record as it stands on a topic."""

    offset: int
    stamped_ms: int
    """Kafka's timestamp."""
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes] = {}  # never written to


class Logs(Protocol):
    """Where a comparison reads from."""

    def read(self, topic: str, partition: int) -> Iterator[Stood]:
        """Give the records of a topic partition, oldest first."""
        ...


class KafkaLogs:
    """A broker's topics, each up to where it ended when it was first read.

    Args:
        kafka: The broker.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._consumer = make_consumer(kafka, group="riverdesk-verdict")
        self._ends: dict[tuple[str, int], int] = {}

    def read(self, topic: str, partition: int) -> Iterator[Stood]:
        """Give the records of a topic partition, oldest first.

        Raises:
            UnavailableError: the broker does not answer.
            IncompatibleError: the log has no beginning any more.
        """
        place = (topic, partition)
        if place not in self._ends:
            self._ends[place] = end_offset(self._consumer, topic, partition)
        end = self._ends[place]
        for message in read_messages(self._consumer, topic, partition, 0, end, PATIENCE_S):
            yield Stood(
                int(message.offset() or 0),
                message.timestamp()[1],
                message.key(),
                message.value(),
                {name: _bytes(value) for name, value in dict(message.headers() or ()).items()},
            )

    def require_still(self) -> None:
        """Make sure that nothing was appended since the comparison began.

        Raises:
            UnavailableError: something was; let the load settle or stop the desks, then compare.
        """
        for (topic, partition), end in self._ends.items():
            now = end_offset(self._consumer, topic, partition)
            if now != end:
                raise UnavailableError(
                    f"{topic}/{partition} grew from {end} to {now} while it was compared: "
                    "stop the desks first, or wait until nothing moves"
                )

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    return b"" if value is None else str(value).encode()
