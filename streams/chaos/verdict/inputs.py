"""What was published against what the broker holds, and what the journal must say about each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from models import core
from models.learning import Learners
from models.policy import POLICY_V1, Policy
from models.state import MemoryState, Stamp
from schemas.base import Event
from schemas.codec import dump, encode
from schemas.journal import Source
from schemas.registry import INPUTS, KIND_BY_TOPIC
from streams.chaos.published import DIGEST_BYTES, Published, content_digest
from streams.chaos.verdict.logs import Logs, Stood
from streams.chaos.verdict.shelf import Shelf
from streams.chaos.verdict.verdict import Findings
from streams.desk.admission import Admission
from streams.desk.guard import Refusal, attempt
from streams.intake.batches import Raw

LAYOUT = f"<Q?{DIGEST_BYTES}s{DIGEST_BYTES}s{DIGEST_BYTES}s{DIGEST_BYTES}s{DIGEST_BYTES}s"
NOTHING = bytes(DIGEST_BYTES)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the journal must say about one input record; digests of 16 bytes.

    Args:
        published_ms: Kafka's timestamp of the record.
        refused: Admission refuses it.
        content: Of key and value.
        key: Of the key alone.
        answer: Of the masked event, or of the refusal.
        identity: Of tenant, customer and event id; nothing where it was refused.
        late_refusal: Of the refusal by the core's rules of time; nothing where they let it pass.
    """

    published_ms: int
    refused: bool
    content: bytes
    key: bytes
    answer: bytes
    identity: bytes
    late_refusal: bytes


class Inputs:
    """Reads the input topics of one partition number as the desk does.

    Args:
        partition: The partition number.
        partition_count: Of the inputs.
        masking_key: That the desks use.
    """

    def __init__(self, partition: int, partition_count: int, masking_key: bytes) -> None:
        self._partition = partition
        self._admission = Admission(partition, partition_count, masking_key)
        self._shelves: dict[str, Shelf] = {topic.name: Shelf(LAYOUT) for topic in INPUTS}

    @property
    def shelves(self) -> Mapping[str, Shelf]:
        """What was read, by topic; the takers are the journal's answers."""
        return self._shelves

    def expected(self, topic: str, index: int) -> Expected:
        """Give what a place of a topic's shelf holds."""
        return Expected(*self._shelves[topic].fields(index))

    def read(self, logs: Logs, published: Published, findings: Findings) -> None:
        """Read all input records and compare them with what was acknowledged."""
        for topic in INPUTS:
            shelf = self._shelves[topic.name]
            for stood in logs.read(topic.name, self._partition):
                self._add(topic.name, shelf, stood)
            findings.events_in[topic.name] += len(shelf)
            findings.compared["inputs"] += len(shelf)
            self._compare(topic.name, shelf, published, findings)

    def _compare(self, topic: str, shelf: Shelf, published: Published, findings: Findings) -> None:
        last = -1
        for offset, content in published.at((topic, self._partition)):
            where = f"{topic}/{self._partition}/{offset}"
            if offset == last:
                findings.add("differing", "inputs", f"{where} was acknowledged twice")
                continue
            last = offset
            index = shelf.find(offset)
            if index is None:
                findings.events_in[topic] += 1
                findings.add("lost", "inputs", f"{where} was acknowledged, the broker has it not")
            elif shelf.fields(index)[2] != content:
                findings.add("differing", "inputs", f"{where}: key or value is not as acknowledged")

    def _add(self, topic: str, shelf: Shelf, stood: Stood) -> None:
        raw = Raw(stood.stamped_ms, topic, stood.offset, stood.key, stood.value)
        admission = self._admission
        event = attempt(lambda: admission.stage, lambda: admission.admit(raw))
        identity = late = NOTHING
        if isinstance(event, Refusal):
            answer = refusal_digest(event.stage, event.error, event.message, len(raw.value or b""))
        else:
            answer = event_digest(dump(event), event.occurred_ms)
            identity = identity_digest(event.tenant, event.customer_id, event.event_id)
            late = self._late_refusal(topic, event, raw)
        shelf.add(
            stood.offset,
            stood.stamped_ms,
            isinstance(event, Refusal),
            content_digest(stood.key, stood.value),
            content_digest(stood.key, None),
            answer,
            identity,
            late,
        )

    def _late_refusal(self, topic: str, event: Event, raw: Raw) -> bytes:
        """Ask the core about an event that is ahead of its time; nothing if it would decide."""
        occurred_ms = event.occurred_ms
        known_ms = getattr(event, "known_ms", occurred_ms)
        if max(occurred_ms - raw.published_ms, known_ms - occurred_ms) <= core.AHEAD_MS:
            return NOTHING
        source = Source(
            topic=topic,
            partition=self._partition,
            offset=raw.offset,
            published_ms=raw.published_ms,
        )
        decided = attempt(
            lambda: "decide",
            lambda: core.decide_event(
                KIND_BY_TOPIC[topic], event, source, MemoryState(), *_anything(),
            ),
        )  # fmt: skip
        if not isinstance(decided, Refusal):
            return NOTHING
        size = len(raw.value or b"")
        return refusal_digest(decided.stage, decided.error, decided.message, size)


@lru_cache(maxsize=1)
def _anything() -> tuple[Learners, Policy, Stamp]:
    """Give what the rules of time do not look at."""
    return Learners(), Policy.from_content(POLICY_V1), Stamp(0, 1, 1, 0)


def event_digest(event: object, occurred_ms: object) -> bytes:
    """Digest a masked event as a journal record carries it."""
    return _digest([event, occurred_ms])


def identity_digest(tenant: object, customer_id: object, event_id: object) -> bytes:
    """Digest whose event it is and its id."""
    return _digest([tenant, customer_id, event_id])


def refusal_digest(stage: object, error: object, message: object, size_bytes: object) -> bytes:
    """Digest why a record is refused, and its length."""
    return _digest([stage, error, message, size_bytes])


def _digest(value: object) -> bytes:
    return blake2b(encode(value), digest_size=DIGEST_BYTES).digest()
