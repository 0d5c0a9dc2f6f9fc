"""The journal: one ordered log per partition, exactly one record for each input record.

A reader accepts a claim only with a greater epoch, and any other record only with the current
epoch and writer and the next number (``streams/journal/acceptance.py``).
"""

from typing import Any, Literal, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

EventKind = Literal["ticket", "transaction", "feedback"]
Kind = Literal["ticket", "transaction", "feedback", "tick", "policy", "dead", "duplicate", "claim"]
DecisionKind = Literal["ticket", "transaction", "feedback", "tick"]


class Source(TypedDict):
    """The input record that a journal record answers."""

    topic: str
    partition: int
    offset: int
    published_ms: int
    """Kafka's timestamp of the input record."""


class LearnerState(TypedDict):
    """How far the learners had folded the lessons."""

    revision: int
    """Offset reached in the lessons: all lessons below it were folded."""
    digest: str
    """Chain digest over those lessons."""


class Effect(TypedDict):
    """One output that follows from a record; its id is partition/number/index."""

    topic: str
    key: str | None
    value: dict[str, Any]


class JournalRecord(TypedDict):
    """One entry of the journal. Which optional parts are there depends on ``kind``.

    ========== =================================================================
    kind       besides epoch, writer
    ========== =================================================================
    claim      at_ms; it has no number: the numbers go on from the last accepted
    policy     number, policy, content
    ticket …   number, source, event, features, decision, learner, policy, effects
    tick       number, tick_ms, decision, learner, policy, effects
    duplicate  number, source, event_id, first (position of the first one)
    dead       number, source, error (class, stage, message), bytes
    ========== =================================================================
    """

    v: int
    kind: Kind
    epoch: int
    writer: str
    number: NotRequired[int]
    core: NotRequired[str]
    policy: NotRequired[str]
    """Digest of the policy in force (kind ``policy``: of the new one)."""
    content: NotRequired[dict[str, Any]]
    learner: NotRequired[LearnerState]
    source: NotRequired[Source]
    tenant: NotRequired[str]
    customer_id: NotRequired[str]
    event_id: NotRequired[str]
    occurred_ms: NotRequired[int]
    tick_ms: NotRequired[int]
    event: NotRequired[dict[str, Any]]
    """The event as decided on: validated and masked."""
    features: NotRequired[dict[str, float]]
    decision: NotRequired[dict[str, Any]]
    effects: NotRequired[list[Effect]]
    first: NotRequired[str]
    error: NotRequired[dict[str, str]]
    bytes: NotRequired[int]
    """Length of the dead record's value."""
    decided_ms: NotRequired[int]
    at_ms: NotRequired[int]


JOURNAL_RECORD: TypeAdapter[JournalRecord] = TypeAdapter(JournalRecord)
JOURNAL_VERSION = 1
