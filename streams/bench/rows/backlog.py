"""A journal with its lessons that waits to be read: real decisions, numbered on without a gap."""

import re
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from schemas.codec import decode_json, encode
from schemas.registry import JOURNAL, LESSONS
from streams.bench.ground import Ground
from streams.bench.growth.copies import mark
from streams.bench.growth.history import MARK, History
from streams.journal.writer import Outgoing, Writer

SAMPLE_EVENTS = 6_000
CUSTOMERS = 2_000
APPEND_RECORDS = 5_000
_EPOCH_AND_WRITER = re.compile(rb'"epoch":\d+,"number":\d+,"writer":"[^"]*"')
_CLAIM = encode({"v": 1, "kind": "claim", "epoch": 1, "writer": "w", "at_ms": 0})


class Backlog:
    """What a simulated company's events were decided to be, as often as it is needed.

    Args:
        directory: For the state while they are decided.
        events: So many are decided; their records are repeated.
    """

    def __init__(self, directory: Path, events: int = SAMPLE_EVENTS) -> None:
        with TemporaryDirectory(dir=directory) as state:
            history = History(Path(state), customers=CUSTOMERS, past=events, coming=0)
        self.records = [raw for raw in history.journal if decode_json(raw)["kind"] != "claim"]
        self.lessons = history.lessons

    def load(self, ground: Ground, record_count: int, *, lessons: bool) -> int:
        """Append so many records to the journal, evenly over its partitions, and their lessons.

        Returns:
            How many records were appended to both topics, claims not counted.

        Raises:
            UnavailableError: the broker does not take them.
        """
        writer, share = Writer(ground.settings.kafka), record_count // ground.partitions
        for partition in range(ground.partitions):
            _append(writer, JOURNAL.name, partition, [_CLAIM])
            _append(writer, JOURNAL.name, partition, self.journal(share))
        loaded = share * ground.partitions
        if lessons:
            lesson_count = loaded * len(self.lessons) // len(self.records)
            _append(writer, LESSONS.name, 0, islice(_copies(self.lessons), lesson_count))
            loaded += lesson_count
        writer.throw_away()
        return loaded

    def journal(self, record_count: int) -> Iterator[bytes]:
        """Give so many records of one writer, numbered from 1; each round has ids of its own."""
        numbers = count(1)
        for raw in islice(_copies(self.records), record_count):
            head = b'"epoch":1,"number":%d,"writer":"w"' % next(numbers)
            yield _EPOCH_AND_WRITER.sub(head, raw, count=1)


def _copies(records: Sequence[bytes]) -> Iterator[bytes]:
    for copy in count():
        for raw in records:
            yield raw.replace(MARK, mark(copy))


def _append(
    writer: Writer, topic: str, partition: int, values: Iterator[bytes] | list[bytes]
) -> None:
    left = iter(values)
    while part := list(islice(left, APPEND_RECORDS)):
        writer.append_now([Outgoing(topic, partition, None, value) for value in part])
