"""What replay reads: the journal's partitions and the lessons, in stretches, with one consumer."""

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from schemas.registry import JOURNAL, LESSONS
from streams.journal.reader import Entry, read
from streams.kafka import end_offset, make_consumer
from streams.settings import KafkaSettings

STRETCH_RECORDS = 2_000
"""So many records of a partition are held at once."""


class Logs(Protocol):
    """The logs as they stood when replay began."""

    @property
    def partition_count(self) -> int:
        """Of the journal."""
        ...

    def journal_end(self, partition: int) -> int:
        """Give the offset behind the last record."""
        ...

    def journal(self, partition: int, end: int) -> Iterator[Entry]:
        """Give a partition's records below ``end``, from the beginning.

        Several partitions may be read in turns.
        """
        ...

    def lessons(self) -> Iterator[Entry]:
        """Give the lessons, from the beginning."""
        ...

    @property
    def lessons_end(self) -> int:
        """Offset behind the last lesson."""
        ...


class KafkaLogs:
    """The logs on a broker; what is appended later is not read.

    Args:
        kafka: The broker.
        partition_count: Of the journal.

    Raises:
        UnavailableError: the broker does not answer.
    """

    def __init__(self, kafka: KafkaSettings, partition_count: int) -> None:
        self.partition_count = partition_count
        self._consumer = make_consumer(
            kafka,
            group="riverdesk-replay",  # in name only
            queued_max_messages_kbytes=4_096,  # what is fetched beyond a stretch is fetched again
        )
        self._ends = {
            number: end_offset(self._consumer, JOURNAL.name, number)
            for number in range(partition_count)
        }
        self.lessons_end = end_offset(self._consumer, LESSONS.name, 0)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the consumer."""
        self._consumer.close()

    def journal_end(self, partition: int) -> int:
        """Give the offset behind the last record."""
        return self._ends[partition]

    def journal(self, partition: int, end: int) -> Iterator[Entry]:
        """Give a partition's records below ``end``, from the beginning.

        Raises:
            UnavailableError: the broker is away.
            IncompatibleError: the journal has lost its beginning.
        """
        return self._in_stretches(JOURNAL.name, partition, end)

    def lessons(self) -> Iterator[Entry]:
        """Give the lessons, from the beginning.

        Raises:
            UnavailableError: the broker is away.
            IncompatibleError: the lessons have lost their beginning.
        """
        return self._in_stretches(LESSONS.name, 0, self.lessons_end)

    def _in_stretches(self, topic: str, partition: int, end: int) -> Iterator[Entry]:
        for start in range(0, end, STRETCH_RECORDS):
            until = min(start + STRETCH_RECORDS, end)
            # a list: the consumer must be free before somebody else takes his turn
            yield from list(read(self._consumer, topic, partition, start, until))
