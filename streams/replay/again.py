"""Decides one journal record again, and says where the bytes differ."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models import core
from models.learning import Learners
from models.policy import Policy
from models.state import Stamp, State
from schemas.codec import decode, decode_json, encode
from schemas.errors import MisconfiguredError
from schemas.journal import JOURNAL_VERSION
from schemas.registry import KIND_BY_TOPIC, SCHEMA_BY_TOPIC
from streams.desk.guard import Refusal, attempt

ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision made again.

    Args:
        decision: Partition/number.
        kind: The record's kind.
        recorded: The bytes in the journal.
        again: The bytes that were made now; of a record that could not be decided on, why.
        took_s: From the decoded record to the bytes: the event validated, decided, encoded.
    """

    decision: str
    kind: str
    recorded: bytes
    again: bytes | Refusal
    took_s: float

    @property
    def equal(self) -> bool:
        """Whether both are the same bytes."""
        return self.recorded == self.again

    def differing(self) -> dict[str, tuple[Any, Any]]:
        """Give the fields that differ, by dotted path: as recorded, and as decided now."""
        if self.equal:
            return {}
        if isinstance(self.again, Refusal):
            return {self.again.stage: ("decided", f"{self.again.error}: {self.again.message}")}
        found = dict(_differing("", decode_json(self.recorded), decode_json(self.again)))
        return found or {"(notation)": (self.recorded.decode(), self.again.decode())}


def decide_again(
    raw: bytes,
    record: Mapping[str, Any],
    state: State,
    learners: Learners,
    policy: Policy,
    partition_count: int,
    partition: int,
) -> Replayed:
    """Decide a record again.

    Args:
        raw: The record as it stands in the journal.
        record: The same, decoded; of a kind that is decided.
        state: Folded up to the record before.
        learners: Folded up to the revision that the record names.
        policy: In force before the record.
        partition_count: Of the journal.
        partition: That it stands in.
    """
    stamp = Stamp(partition, partition_count, record["number"], record["decided_ms"])
    started_s = time.perf_counter()
    again = attempt(lambda: "decide", lambda: _record(record, state, learners, policy, stamp))
    took_s = time.perf_counter() - started_s
    return Replayed(stamp.decision_id, record["kind"], raw, again, took_s)


def _record(
    record: Mapping[str, Any], state: State, learners: Learners, policy: Policy, stamp: Stamp
) -> bytes | Refusal:
    try:
        draft = _decide(record, state, learners, policy, stamp)
    except MisconfiguredError as fault:
        return Refusal("policy", type(fault).__name__, str(fault))
    if draft is None:
        return Refusal("decide", "nothing", "nothing is due at this tick")
    claimed = {name: record[name] for name in ("epoch", "number", "writer")}
    return encode({"v": JOURNAL_VERSION, "kind": draft["kind"], **claimed, **draft})


def _decide(
    record: Mapping[str, Any], state: State, learners: Learners, policy: Policy, stamp: Stamp
) -> core.Draft | None:
    kind = record["kind"]
    if kind == "policy":
        return core.decide_policy(record["content"], stamp)
    if kind == "tick":
        return core.decide_tick(record["tick_ms"], state, learners, policy, stamp)
    source = record["source"]
    event = decode(SCHEMA_BY_TOPIC[source["topic"]], encode(record["event"]))
    event_kind = KIND_BY_TOPIC[source["topic"]]
    return core.decide_event(event_kind, event, source, state, learners, policy, stamp)


def _differing(path: str, recorded: Any, again: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Walk down to the smallest parts that differ."""
    if encode(recorded) == encode(again):
        return
    if isinstance(recorded, dict) and isinstance(again, dict):
        if recorded.keys() == again.keys() and list(recorded) != list(again):
            yield f"{path} (order)".strip(), (list(recorded), list(again))
        for name in [*recorded, *(name for name in again if name not in recorded)]:
            inner = f"{path}.{name}" if path else name
            yield from _differing(inner, recorded.get(name, ABSENT), again.get(name, ABSENT))
    elif isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        for index, (one, other) in enumerate(zip(recorded, again, strict=True)):
            yield from _differing(f"{path}[{index}]", one, other)
    else:
        yield path, (recorded, again)
