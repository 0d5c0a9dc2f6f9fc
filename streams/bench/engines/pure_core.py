"""The pure core alone on what a desk did: ``python -m … FIRST SECOND``.

It prints ``events cpu_s same``. FIRST and SECOND are the ends of the journal's partitions between
which it is measured, as ``12,34,56,78``. Everything is read into memory before. What is done then
is what a decision needs: decode, mask, decide, encode, advance; let time pass and fold lessons
where the desk did.
``same`` is how many of the journal's records came out again byte for byte, of all that were
measured: that it was the same work.
"""

import gc
import sys
import time
from collections.abc import Mapping
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
from streams.journal.reader import read
from streams.kafka import end_offset, last_record_end, make_consumer
from streams.settings import Settings, load


@dataclass(frozen=True, slots=True)
class Item:
    """One record of the journal with the input that it answers."""

    at: tuple[int, int, int]
    record: dict[str, Any]
    journaled: bytes
    raw: bytes
    measured: bool


class PureCore:
    """Decides again what the desk decided.

    Args:
        settings: Of the desk.
        lessons: Offsets and bytes of all lessons.
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


def items(settings: Settings, first: list[int], second: list[int]) -> list[Item]:
    """Read the journal up to ``second`` with its inputs, in the order of the decisions."""
    consumer = make_consumer(settings.kafka, "bench-pure-core")
    inputs: dict[tuple[str, int, int], bytes] = {}
    found: list[Item] = []
    for partition in range(settings.topics.partitions):
        for topic in INPUTS:
            end = end_offset(consumer, topic.name, partition)
            for entry in read(consumer, topic.name, partition, 0, end):
                inputs[topic.name, partition, entry.offset] = entry.value
        for entry in read(consumer, JOURNAL.name, partition, 0, second[partition]):
            record = decode_json(entry.value)
            source = record.get("source")
            place = (source["topic"], partition, source["offset"]) if source else ("", 0, 0)
            at = (entry.appended_ms, partition, entry.offset)
            measured = entry.offset >= first[partition]
            found.append(Item(at, record, entry.value, inputs.get(place, b""), measured))
    consumer.close()
    return sorted(found, key=lambda item: item.at)


def lessons(settings: Settings) -> list[tuple[int, bytes]]:
    """Read all lessons."""
    consumer = make_consumer(settings.kafka, "bench-pure-core")
    end = last_record_end(consumer, LESSONS.name)
    found = [(entry.offset, entry.value) for entry in read(consumer, LESSONS.name, 0, 0, end)]
    consumer.close()
    return found


def main(first: list[int], second: list[int]) -> None:
    """Decide all of it again, print what the measured part took."""
    settings = load()
    todo = items(settings, first, second)
    pure = PureCore(settings, lessons(settings))
    gc.collect()
    gc.freeze()  # what was only read must not be looked through again and again
    events = same = 0
    cpu_s = began_s = 0.0
    measuring = False
    for item in todo:
        if item.measured != measuring:
            now_s = time.process_time()
            cpu_s, began_s = (cpu_s + now_s - began_s, 0.0) if measuring else (cpu_s, now_s)
            measuring = item.measured
        pure.do(item)
        if measuring and "source" in item.record:
            events += 1
            same += pure.last == item.journaled
    if measuring:
        cpu_s += time.process_time() - began_s
    print(events, cpu_s, same / events if events else 0.0, flush=True)


if __name__ == "__main__":
    main(*([int(each) for each in given.split(",")] for given in sys.argv[1:3]))
