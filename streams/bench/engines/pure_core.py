"""The pure core alone on what a desk does: ``python -m …``.

For each line on standard input it reads what is new on the journal, does it, and prints
``records events cpu_s same``; reading does not count. What is done is what a decision needs:
decode, mask, decide, encode, advance; let time pass and fold lessons where the desk did. ``same``
is how many of the events' records came out again byte for byte: that it was the same work.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models import core
from models.learning import Learners
from models.masking import mask
from models.policy import POLICY_V1, Policy
from models.state import MemoryState, Stamp
from schemas.codec import decode, decode_json, encode
from schemas.errors import MalformedError, RejectedError
from schemas.journal import JOURNAL_VERSION, Source
from schemas.registry import INPUTS, JOURNAL, KIND_BY_TOPIC, LESSONS, SCHEMA_BY_TOPIC
from streams.journal.reader import Entry, read
from streams.kafka import end_offset, last_record_end, make_consumer
from streams.memory import collect_rarely
from streams.settings import Settings, load


@dataclass(frozen=True, slots=True)
class Item:
    """One record of the journal with the input that it answers."""

    at: tuple[int, int, int]
    record: dict[str, Any]
    journaled: bytes
    raw: bytes


class PureCore:
    """Decides again what the desk decided.

    Args:
        settings: Of the desk.
        lessons: Offsets and bytes of all lessons that are needed; more may come.
    """

    def __init__(self, settings: Settings, lessons: list[tuple[int, bytes]]) -> None:
        count = settings.topics.partitions
        self._partition_count = count
        self._key = settings.masking_key.get_secret_value().encode()
        self._states = [MemoryState() for _ in range(count)]
        self._numbers = [0] * count
        self._policy = Policy.from_content(POLICY_V1)
        self._learners = Learners()
        self._lessons = lessons
        self._folded = 0
        self.last = b""
        """The last record that was encoded."""

    def do(self, item: Item) -> None:
        """Do what the desk did for one record of its journal."""
        record, partition = item.record, item.at[1]
        if record["kind"] == "policy":
            draft: Mapping[str, Any] = core.decide_policy(
                record["content"], self._stamp(partition, record)
            )
            self._policy = Policy.from_content(record["content"])
        elif record["kind"] == "tick":
            self._learn(record)
            draft = self._tick(partition, record)
        elif "source" in record:
            self._learn(record)
            draft = self._answer(partition, record, item.raw)
        else:
            return
        self._append(partition, draft, record)

    def _learn(self, record: dict[str, Any]) -> None:
        revision = record.get("learner", {}).get("revision", 0)
        while self._folded < len(self._lessons) and self._lessons[self._folded][0] < revision:
            offset, raw = self._lessons[self._folded]
            self._learners.fold(raw, offset)
            self._folded += 1

    def _tick(self, partition: int, record: dict[str, Any]) -> Mapping[str, Any]:
        """Let time pass where the desk did; how far it could depends on what was unread then."""
        draft = core.decide_tick(
            record["tick_ms"],
            self._states[partition],
            self._learners,
            self._policy,
            self._stamp(partition, record),
        )
        return _without_envelope(record) if draft is None else draft

    def _answer(self, partition: int, record: dict[str, Any], raw: bytes) -> Mapping[str, Any]:
        source: Source = record["source"]
        try:
            event = mask(decode(SCHEMA_BY_TOPIC[source["topic"]], raw), self._key)
            return core.decide_event(
                KIND_BY_TOPIC[source["topic"]],
                event,
                source,
                self._states[partition],
                self._learners,
                self._policy,
                self._stamp(partition, record),
            )
        except (MalformedError, RejectedError):
            return _without_envelope(record)

    def _stamp(self, partition: int, record: dict[str, Any]) -> Stamp:
        number = self._numbers[partition] + 1
        return Stamp(partition, self._partition_count, number, record["decided_ms"])

    def _append(self, partition: int, draft: Mapping[str, Any], like: dict[str, Any]) -> None:
        self._numbers[partition] += 1
        record = {
            "v": JOURNAL_VERSION,
            "kind": draft["kind"],
            "epoch": like["epoch"],
            "number": self._numbers[partition],
            "writer": like["writer"],
            **draft,
        }
        self.last = encode(record)
        state = self._states[partition]
        state.apply(core.advance(record, state))


def _without_envelope(record: Mapping[str, Any]) -> dict[str, Any]:
    envelope = ("v", "epoch", "number", "writer")
    return {name: value for name, value in record.items() if name not in envelope}


class Log:
    """What the desk reads and writes, as far as it goes.

    Args:
        settings: Of the desk; all its inputs are there.
        lessons: Lessons are added to these.
    """

    def __init__(self, settings: Settings, lessons: list[tuple[int, bytes]]) -> None:
        self._partitions = range(settings.topics.partitions)
        self._consumer = make_consumer(settings.kafka, "bench-pure-core")
        self._lessons = lessons
        self._next: dict[tuple[str, int], int] = {}
        self._inputs = {
            (topic.name, partition, entry.offset): entry.value
            for topic in INPUTS
            for partition in self._partitions
            for entry in self._new(topic.name, partition)
        }

    def read(self) -> list[Item]:
        """Give what is new on the journal, in the order of the decisions; lessons are added."""
        found: list[Item] = []
        for partition in self._partitions:
            for entry in self._new(JOURNAL.name, partition):
                record = decode_json(entry.value)
                source = record.get("source")
                place = (source["topic"], partition, source["offset"]) if source else ("", 0, 0)
                at = (entry.appended_ms, partition, entry.offset)
                found.append(Item(at, record, entry.value, self._inputs.get(place, b"")))
        end = last_record_end(self._consumer, LESSONS.name)
        self._lessons += [(entry.offset, entry.value) for entry in self._new(LESSONS.name, 0, end)]
        return sorted(found, key=lambda item: item.at)

    def _new(self, topic: str, partition: int, end: int | None = None) -> Iterator[Entry]:
        start = self._next.get((topic, partition), 0)
        if end is None:
            end = end_offset(self._consumer, topic, partition)
        self._next[topic, partition] = end
        return read(self._consumer, topic, partition, start, end)


def do(pure: PureCore, items: Iterable[Item]) -> tuple[int, int, float, int]:
    """Give records, events, CPU in seconds, and how many events' records were the same."""
    records = events = same = 0
    began_s = time.process_time()
    for item in items:
        pure.do(item)
        records += 1
        if "source" in item.record:
            events += 1
            same += pure.last == item.journaled
    return records, events, time.process_time() - began_s, same


def main() -> None:
    """Do what is new, whenever it is asked for."""
    settings = load()
    lessons: list[tuple[int, bytes]] = []
    log, pure = Log(settings, lessons), PureCore(settings, lessons)
    collect_rarely()  # as the desk; what was only read must not be looked through again and again
    for _ in sys.stdin:
        print(*do(pure, log.read()), flush=True)


if __name__ == "__main__":
    main()
