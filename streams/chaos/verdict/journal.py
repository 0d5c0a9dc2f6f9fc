"""One journal partition, by the reader's rule: does it answer each input once, and rightly?"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from models.core import DUPLICATE_MS
from schemas.codec import decode_json, digest_bytes, encode
from schemas.registry import (
    ALERTS,
    KIND_BY_TOPIC,
    LESSONS,
    PRIORITIES,
    QUALITY_TOPIC,
    QUESTIONS,
)
from streams.chaos.published import DIGEST_BYTES, content_digest
from streams.chaos.verdict.inputs import (
    NOTHING,
    Expected,
    Inputs,
    event_digest,
    identity_digest,
    refusal_digest,
)
from streams.chaos.verdict.logs import Stood
from streams.chaos.verdict.shelf import Shelf
from streams.chaos.verdict.verdict import Findings
from streams.desk.position import FoldPosition
from streams.journal.fold import advance_position

Record = Mapping[str, Any]
Revisions = dict[int, str]
"""Chain digest of the learners by revision, as journal and desks name them."""

PLACES = {
    ALERTS.name: "alerts",
    PRIORITIES.name: "priorities",
    QUESTIONS.name: "questions",
    LESSONS.name: "lessons",
    QUALITY_TOPIC.name: "quality",
}
"""How findings call the output topics."""
EFFECT_BITS = 24
OVERSIZE = "the decision takes "
"""How the guard begins when a decision does not fit the journal."""


def effect_number(number: int, index: int) -> int:
    """Order the effects of a partition: by journal number, then index."""
    return number << EFFECT_BITS | index


class JournalWalk:
    """Reads one journal partition and collects what must follow from it.

    Args:
        partition: The partition number.
        inputs: Of the same partition number, already read.
        revisions: Filled with the learners that the decisions name.
        findings: Where faults go.

    Attributes:
        effects: Digests of the outputs that must be published, by topic and effect number.
        dead: Digest of the reason of each accepted ``dead`` entry, by its source.
        position: The fold's position so far.
        policy: Digest of the policy in force; "" before the first.
    """

    def __init__(
        self, partition: int, inputs: Inputs, revisions: Revisions, findings: Findings
    ) -> None:
        self.effects = {topic: Shelf(f"{DIGEST_BYTES}s") for topic in PLACES}
        self.dead: dict[tuple[str, int], bytes] = {}
        self.position = FoldPosition()
        self.policy = ""
        self._partition = partition
        self._inputs = inputs
        self._revisions = revisions
        self._findings = findings
        self._last_offsets: dict[str, int] = {}
        self._seen: dict[bytes, tuple[int, str, int]] = {}
        """Publishing time, topic and offset of each decided event id."""
        self._revision = 0
        self._tick_ms = 0

    def walk(
        self,
        journal: Iterable[Stood],
        accepted: Callable[[Record, Stood], None],
        before: Callable[[int], None] = lambda offset: None,
    ) -> None:
        """Read to the end; then every input that nobody answered is lost.

        Args:
            journal: The partition's records.
            accepted: Takes each accepted record but claims.
            before: Called with each offset before its record changes anything.
        """
        for stood in journal:
            before(stood.offset)
            self._take(stood, accepted)
        for topic, shelf in self._inputs.shelves.items():
            for offset in shelf.untaken():
                self._findings.add(
                    "lost", "journal", f"{topic}/{self._partition}/{offset} was never answered"
                )

    def _take(self, stood: Stood, accepted: Callable[[Record, Stood], None]) -> None:
        value = stood.value or b""
        record: Record = decode_json(value)
        reading = self.position.reading.accept(record)
        after = replace(
            self.position, journal_next=stood.offset + 1, last_digest=digest_bytes(value)
        )
        if reading is None:
            self.position = after
            self._findings.add(
                "repeated",
                "journal",
                f"{self._partition}@{stood.offset} was written late by a replaced owner: ignored",
            )
            return
        self.position = advance_position(after, record, reading_after=reading)
        if record["kind"] == "claim":
            return
        self._findings.compared["journal"] += 1
        if record["kind"] == "dead":
            self._expect_letter(record)
        faults = [*self._order_faults(record), *self._source_faults(record, stood)]
        if faults:
            self._add("differing", record, ", ".join(faults))
        if record["kind"] == "policy":
            self.policy = record["policy"]
        self._expect_effects(record)
        accepted(record, stood)

    def _add(self, kind: Any, record: Record, what: str) -> None:
        name = f"{self._partition}/{record['number']} ({record['kind']})"
        self._findings.add(kind, "journal", f"{name}: {what}")

    # -- what only moves forward ----------------------------------------------------------------

    def _order_faults(self, record: Record) -> list[str]:
        faults = []
        learner = record.get("learner")
        if learner is not None:
            revision, digest = learner["revision"], learner["digest"]
            if revision < self._revision:
                faults.append(f"revision went back from {self._revision} to {revision}")
            self._revision = max(self._revision, revision)
            if self._revisions.setdefault(revision, digest) != digest:
                faults.append(f"another digest of the learners at revision {revision}")
            if record["policy"] != self.policy:
                faults.append("not by the policy in force")
        tick_ms = record.get("tick_ms")
        if tick_ms is not None:
            if tick_ms < self._tick_ms:
                faults.append(f"time went back from {self._tick_ms} to {tick_ms}")
            self._tick_ms = max(self._tick_ms, tick_ms)
        return faults

    # -- the input that it answers --------------------------------------------------------------

    def _source_faults(self, record: Record, stood: Stood) -> list[str]:
        source = record.get("source")
        if source is None:
            return []
        topic, offset = source["topic"], source["offset"]
        shelf = self._inputs.shelves.get(topic)
        index = None if shelf is None else shelf.find(offset)
        if shelf is None or index is None or source["partition"] != self._partition:
            self._add("duplicated", record, f"answers {topic}/{offset}, which is not on the log")
            return []
        if shelf.take(index) > 1:
            self._add("duplicated", record, f"answers {topic}/{offset} once more")
            return []
        expected = self._inputs.expected(topic, index)
        faults = list(self._answer_faults(record, expected))
        if offset < self._last_offsets.get(topic, -1):
            faults.append(f"answers {topic}/{offset} after {self._last_offsets[topic]}")
        self._last_offsets[topic] = max(offset, self._last_offsets.get(topic, -1))
        if source["published_ms"] != expected.published_ms:
            faults.append("published_ms")
        if content_digest(stood.key, None) != expected.key:
            faults.append("key")
        return faults

    def _answer_faults(self, record: Record, expected: Expected) -> list[str]:
        kind = record["kind"]
        if kind == "dead":
            return self._dead_faults(record, expected)
        if expected.refused:
            return ["admission refuses its input"]
        identity = identity_digest(
            record.get("tenant"), record.get("customer_id"), record.get("event_id")
        )
        if identity != expected.identity:
            return ["tenant, customer_id or event_id is not the input's"]
        faults = self._seen_faults(record, identity)
        if kind == "duplicate":
            return faults
        if kind != KIND_BY_TOPIC[record["source"]["topic"]]:
            faults.append("kind")
        if event_digest(record.get("event"), record.get("occurred_ms")) != expected.answer:
            faults.append("event is not the masked input")
        if expected.late_refusal != NOTHING:
            faults.append("the core refuses its input: ahead of its time")
        return faults

    def _dead_faults(self, record: Record, expected: Expected) -> list[str]:
        error = record["error"]
        stage, name, message = error["stage"], error["class"], error["message"]
        given = refusal_digest(stage, name, message, record["bytes"])
        if given == (expected.answer if expected.refused else expected.late_refusal):
            return []
        if expected.refused:
            return ["admission refuses its input for another reason"]
        # the guard gives up on what makes the core raise, and on what the journal cannot take
        rule = name in ("RejectedError", "MalformedError") and not message.startswith(OVERSIZE)
        if stage != "decide" or rule:
            return ["its input is fit to be decided"]
        self._add("unconfirmed", record, f"the guard gave up: {name}: {message}")
        return []

    def _seen_faults(self, record: Record, identity: bytes) -> list[str]:
        """Tell whether ``duplicate`` was said rightly; identity includes the customer."""
        source = record["source"]
        event_id = identity_digest(record["tenant"], "", record["event_id"])
        first = self._seen.get(event_id)
        within = first is not None and abs(source["published_ms"] - first[0]) <= DUPLICATE_MS
        if record["kind"] == "duplicate":
            if first is None or not within:
                return ["no such event was decided within the window"]
            if record["first"] != f"{first[1]}/{self._partition}/{first[2]}":
                return ["first is not where the event was decided"]
            return []
        if within and first is not None:
            self._add(
                "duplicated",
                record,
                f"event {record['event_id']} was decided before, at {first[1]}/{first[2]}",
            )
        self._seen[event_id] = (source["published_ms"], source["topic"], source["offset"])
        return []

    # -- what follows from it -------------------------------------------------------------------

    def _expect_letter(self, record: Record) -> None:
        self._findings.dead_letters += 1
        source, error = record["source"], record["error"]
        self.dead[source["topic"], source["offset"]] = refusal_digest(
            error["stage"], error["class"], error["message"], 0
        )

    def _expect_effects(self, record: Record) -> None:
        number = record["number"]
        for index, effect in enumerate(record.get("effects") or ()):
            topic, key, value = effect["topic"], effect["key"], effect["value"]
            if topic not in self.effects:
                self._add("differing", record, f"effect {index} goes to {topic}")
                continue
            if value["id"] != f"{self._partition}/{number}/{index}":
                self._add("differing", record, f"effect {index} calls itself {value['id']}")
            self.effects[topic].add(
                effect_number(number, index),
                content_digest(key.encode() if key else None, encode(value)),
            )
