"""What the journal's partitions get, and when: each record's writer and time of append."""

import itertools
import threading
import time
from collections import defaultdict
from types import TracebackType
from typing import NamedTuple, Self

from schemas.codec import decode_json
from schemas.errors import UnavailableError
from schemas.registry import JOURNAL
from streams.kafka import TopicPartition, end_offset, make_consumer
from streams.settings import KafkaSettings

POLL_S = 0.1


class Seen(NamedTuple):
    """One decision in the journal."""

    writer: str
    appended_ms: int


class JournalWatch:
    """Notes every decision about an input record that is appended from now on.

    Args:
        kafka: The broker.
        partition_count: Of the journal.
    """

    def __init__(self, kafka: KafkaSettings, partition_count: int) -> None:
        self._seen: defaultdict[int, list[Seen]] = defaultdict(list)
        self._stopping = threading.Event()
        self._consumer = make_consumer(kafka, group="riverdesk-bench-watch")
        self._consumer.assign(
            [
                TopicPartition(JOURNAL.name, each, end_offset(self._consumer, JOURNAL.name, each))
                for each in range(partition_count)
            ]
        )
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def seen(self, partition: int) -> list[Seen]:
        """Give what a partition got so far, in order."""
        return list(self._seen[partition])

    def writer(self, partition: int) -> str:
        """Give who wrote to a partition last; "" before anybody did."""
        seen = self.seen(partition)
        return seen[-1].writer if seen else ""

    def first_ms(self, since_ms: int, patience_s: float) -> int:
        """Give when the first decision after ``since_ms`` was appended, in any partition.

        Raises:
            UnavailableError: there was none in time.
        """
        until_s = time.monotonic() + patience_s
        while time.monotonic() < until_s:
            later = [
                each.appended_ms
                for partition in list(self._seen)
                for each in self.seen(partition)
                if each.appended_ms >= since_ms
            ]
            if later:
                return min(later)
            time.sleep(POLL_S / 2)
        raise UnavailableError(f"nothing was decided in {patience_s:.0f} s")

    def other_writer_ms(self, partition: int, not_by: str, patience_s: float) -> int:
        """Give when somebody else first decided something in a partition, after ``not_by`` did.

        Raises:
            UnavailableError: nobody did in time.
        """
        until_s = time.monotonic() + patience_s
        while time.monotonic() < until_s:
            writers = [each.writer for each in self.seen(partition)]
            if writers and writers[-1] != not_by:
                last = len(writers) - writers[::-1].index(not_by) if not_by in writers else 0
                return self.seen(partition)[last].appended_ms
            time.sleep(POLL_S / 2)
        raise UnavailableError(f"partition {partition} was not taken over in {patience_s:.0f} s")

    def longest_pause_s(self, partition: int, since_ms: int) -> float:
        """Give the longest time between two decisions in a partition since ``since_ms``."""
        times = [each.appended_ms for each in self.seen(partition) if each.appended_ms >= since_ms]
        return max((b - a for a, b in itertools.pairwise(times)), default=0) / 1000

    def _run(self) -> None:
        while not self._stopping.is_set():
            for message in self._consumer.consume(500, POLL_S):
                if message.error() is not None:
                    continue
                record = decode_json(message.value() or b"")
                if "source" in record:
                    seen = Seen(record["writer"], message.timestamp()[1])
                    self._seen[message.partition() or 0].append(seen)
