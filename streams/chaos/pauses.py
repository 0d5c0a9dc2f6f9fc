"""How long events waited with nothing decided, from the journal's own timestamps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.codec import decode_json
from schemas.registry import JOURNAL
from streams.journal.acceptance import Reading
from streams.journal.reader import read
from streams.kafka import Consumer, end_offset, make_consumer
from streams.settings import KafkaSettings


class Decided(NamedTuple):
    """When an input record was published and when its decision was appended, in ms."""

    published_ms: int
    appended_ms: int


@dataclass(frozen=True, slots=True)
class Pauses:
    """The longest pauses of decisions.

    Args:
        longest_s: The longest time in which some partition had an event waiting and decided none.
        everywhere_s: The longest time in which no partition at all decided anything, while
            something waited.
        by_partition_s: The first, by partition.
    """

    longest_s: float
    everywhere_s: float
    by_partition_s: dict[int, float]

    def as_json(self) -> dict[str, Any]:
        """Give the figures behind ``longest_pause_s``."""
        return {
            "everywhere_s": round(self.everywhere_s, 3),
            "by_partition_s": {str(n): round(s, 3) for n, s in self.by_partition_s.items()},
        }


def longest_pauses(kafka: KafkaSettings, partition_count: int) -> Pauses:
    """Read the journal and give its longest pauses.

    Raises:
        UnavailableError: the broker does not answer.
    """
    by_partition: dict[int, float] = {}
    everything: list[Decided] = []
    for number, decided in enumerate(_by_partition(kafka, partition_count)):
        by_partition[number] = longest_wait_s(decided)
        everything += decided
    everything.sort(key=lambda each: each.appended_ms)
    return Pauses(max(by_partition.values(), default=0.0), longest_wait_s(everything), by_partition)


def decided_waits(kafka: KafkaSettings, partition_count: int) -> list[Decided]:
    """Give when each input record was published and decided, partition after partition.

    Raises:
        UnavailableError: the broker does not answer.
    """
    return [each for part in _by_partition(kafka, partition_count) for each in part]


def longest_wait_s(decided: Iterable[Decided]) -> float:
    """Give the longest time that the next event waited since it was published or the one before.

    Args:
        decided: In the order in which they were appended.
    """
    longest_ms, before_ms = 0, 0
    for each in decided:
        longest_ms = max(longest_ms, each.appended_ms - max(before_ms, each.published_ms))
        before_ms = each.appended_ms
    return longest_ms / 1000


def _by_partition(kafka: KafkaSettings, partition_count: int) -> Iterator[list[Decided]]:
    consumer = make_consumer(kafka, group="riverdesk-chaos")
    try:
        for number in range(partition_count):
            yield list(_decided(consumer, number))
    finally:
        consumer.close()


def _decided(consumer: Consumer, number: int) -> Iterator[Decided]:
    reading = Reading()
    end = end_offset(consumer, JOURNAL.name, number)
    for entry in read(consumer, JOURNAL.name, number, 0, end):
        record = decode_json(entry.value)
        accepted = reading.accept(record)
        if accepted is None:
            continue
        reading = accepted
        if "source" in record:
            yield Decided(record["source"]["published_ms"], entry.appended_ms)
