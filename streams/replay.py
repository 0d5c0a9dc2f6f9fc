"""Decides again what was decided, from the logs alone, and compares the bytes.

The state is folded from the journal up to the record before, the learners from the lessons up to
the revision that the record names; the policy in force stands in the journal too.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models import core
from models.learning import Learners
from models.policy import POLICY_V1, Policy
from models.state import Changes, MemoryState, Stamp
from schemas.codec import decode, decode_json, encode
from schemas.errors import RejectedError
from schemas.registry import JOURNAL, KIND_BY_TOPIC, LESSONS, SCHEMA_BY_TOPIC
from streams.desk.store import FoldPosition
from streams.journal.fold import fold
from streams.journal.reader import read
from streams.kafka import Consumer, end_offset, make_consumer
from streams.settings import KafkaSettings

WRITTEN_WITH = ("v", "epoch", "writer", "number")
"""Fields that the claim gives, not the decision."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision made again.

    Args:
        decision: Partition/number.
        kind: The record's kind.
        recorded: As it stands in the journal, without what the claim gave.
        again: As it was decided now.
        took_s: Time for the decision alone.
    """

    decision: str
    kind: str
    recorded: Mapping[str, Any]
    again: Mapping[str, Any]
    took_s: float

    @property
    def equal(self) -> bool:
        """Whether both are the same bytes."""
        return encode(dict(self.recorded)) == encode(dict(self.again))

    def differing(self) -> dict[str, tuple[Any, Any]]:
        """Give the fields that differ: as recorded, and as decided now."""
        names = [*self.recorded, *(name for name in self.again if name not in self.recorded)]
        return {
            name: (self.recorded.get(name), self.again.get(name))
            for name in names
            if encode(self.recorded.get(name)) != encode(self.again.get(name))
        }


class _State(MemoryState):
    """A state in memory that the fold can write to."""

    def stage(self, changes: Changes) -> None:
        """Apply the changes of one record."""
        self.apply(changes)


def replay(kafka: KafkaSettings, partition_count: int, decision: str) -> Replayed:
    """Decide one journal record again.

    Args:
        kafka: The broker that holds the journal and the lessons.
        partition_count: Of the journal.
        decision: Partition/number.

    Raises:
        RejectedError: there is no such decision, or it cannot be made again by this code.
    """
    partition, number = _parse(decision, partition_count)
    consumer = make_consumer(kafka, group="riverdesk-replay")
    try:
        state, record = _state_before(consumer, partition, number)
        kind = record["kind"]
        if kind in ("dead", "duplicate"):
            raise RejectedError(f"{decision} is a {kind} record: nothing was decided on features")
        if record.get("core") != core.CORE_VERSION:
            raise RejectedError(
                f"other version: {decision} was decided by core {record.get('core')}, "
                f"this is {core.CORE_VERSION}"
            )
        learners = _learners_at(consumer, record)
    finally:
        consumer.close()
    stamp = Stamp(partition, partition_count, number, record["decided_ms"])
    started_s = time.perf_counter()
    again = _decide(record, state, learners, stamp)
    took_s = time.perf_counter() - started_s
    recorded = {name: value for name, value in record.items() if name not in WRITTEN_WITH}
    return Replayed(decision, kind, recorded, decode_json(encode(again)), took_s)


def _parse(decision: str, partition_count: int) -> tuple[int, int]:
    partition, _, number = decision.partition("/")
    if not (partition.isdigit() and number.isdigit()) or int(partition) >= partition_count:
        raise RejectedError(
            f"{decision!r} is no decision: give partition/number, partition below {partition_count}"
        )
    return int(partition), int(number)


def _state_before(consumer: Consumer, partition: int, number: int) -> tuple[_State, dict[str, Any]]:
    state, position = _State(), FoldPosition()
    end = end_offset(consumer, JOURNAL.name, partition)
    for entry in read(consumer, JOURNAL.name, partition, 0, end):
        record: dict[str, Any] = decode_json(entry.value)
        if record.get("number") == number and position.reading.accept(record) is not None:
            return state, record
        position = fold(entry, state, position)
    raise RejectedError(
        f"{partition}/{number} is not in the journal: it ends at {position.reading.number}"
    )


def _learners_at(consumer: Consumer, record: Mapping[str, Any]) -> Learners:
    learners = Learners()
    wanted = record.get("learner")
    if wanted is None:
        return learners
    for entry in read(consumer, LESSONS.name, 0, 0, wanted["revision"]):
        learners.fold(entry.value, entry.offset)
    if (learners.revision, learners.digest) != (wanted["revision"], wanted["digest"]):
        raise RejectedError(
            f"the lessons give {learners.digest} at {learners.revision}, the record says "
            f"{wanted['digest']} at {wanted['revision']}: this is not the log it was decided on"
        )
    return learners


def _decide(
    record: Mapping[str, Any], state: _State, learners: Learners, stamp: Stamp
) -> Mapping[str, Any]:
    if record["kind"] == "policy":
        return core.decide_policy(record["content"], stamp)
    content = state.get("policy", "")
    policy = Policy.from_content(POLICY_V1 if content is None else content)
    if record["kind"] == "tick":
        draft = core.decide_tick(record["tick_ms"], state, learners, policy, stamp)
        return draft or {}
    source = record["source"]
    event = decode(SCHEMA_BY_TOPIC[source["topic"]], encode(record["event"]))
    kind = KIND_BY_TOPIC[source["topic"]]
    return core.decide_event(kind, event, source, state, learners, policy, stamp)
