"""The topics: what each carries, how it is keyed, partitioned and kept."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter

from schemas.deadletters import DEAD_LETTER
from schemas.digests import LEARNERS_DIGEST
from schemas.feedback import FEEDBACK
from schemas.journal import JOURNAL_RECORD, EventKind
from schemas.outputs import ALERT, LESSON, PRIORITY_CHANGE, QUESTION
from schemas.policies import POLICY_UPDATE
from schemas.quality import QUALITY
from schemas.tickets import TICKET
from schemas.transactions import TRANSACTION

DAY_MS = 86_400_000
FOREVER = -1
MAX_EVENT_BYTES = 262_144
"""Larger input records become dead letters."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the contract.

    Args:
        name: ``<domain>.<plural>.v<n>``.
        key: The field whose UTF-8 bytes are the Kafka key, ``None`` for no key.
        schema: What a record's value must be (a dead letter's: its headers).
        partitions: ``"inputs"`` follows the setting, a number is fixed.
        retention_ms: How long records are kept; ``FOREVER`` for ever.
        cleanup: Kafka's ``cleanup.policy``.
        summary: One line for people.
        max_message_bytes: The broker's limit for one record.
        timestamps: Kafka's ``message.timestamp.type``; the journal's are those of the append, so
            that latency is what passed from publishing to append.
    """

    name: str
    key: str | None
    schema: TypeAdapter[Any] = field(repr=False)
    partitions: int | Literal["inputs"]
    retention_ms: int
    cleanup: Literal["delete", "compact"]
    summary: str
    max_message_bytes: int = 1_048_588
    timestamps: Literal["CreateTime", "LogAppendTime"] = "CreateTime"


TICKETS = Topic(
    "support.tickets.v1", "customer_id", TICKET, "inputs", 30 * DAY_MS, "delete",
    "a ticket opened, a message on it, its status changed, closed",
)  # fmt: skip
TRANSACTIONS = Topic(
    "payments.transactions.v1", "customer_id", TRANSACTION, "inputs", 30 * DAY_MS, "delete",
    "a card or account payment with its outcome",
)  # fmt: skip
FEEDBACK_TOPIC = Topic(
    "desk.feedback.v1", "customer_id", FEEDBACK, "inputs", 30 * DAY_MS, "delete",
    "what people found out: labels, verdicts, overrides",
)  # fmt: skip
JOURNAL = Topic(
    "desk.journal.v1", "customer_id", JOURNAL_RECORD, "inputs", FOREVER, "delete",
    "every decision, in order; internal", 2_097_152, "LogAppendTime",
)  # fmt: skip
LESSONS = Topic(
    "desk.lessons.v1", None, LESSON, 1, FOREVER, "delete",
    "labelled and sampled unlabelled examples, the learners' only food",
)  # fmt: skip
POLICIES = Topic(
    "desk.policies.v1", "policy_id", POLICY_UPDATE, 1, FOREVER, "compact",
    "policies and rules",
)  # fmt: skip
QUALITY_TOPIC = Topic(
    "desk.quality.v1", "learner", QUALITY, 1, 90 * DAY_MS, "delete",
    "scorecards and drift signals",
)  # fmt: skip
DIGESTS = Topic(
    "desk.digests.v1", "worker", LEARNERS_DIGEST, 1, 7 * DAY_MS, "delete",
    "what each desk's learners were at a revision, compared between desks; internal",
)  # fmt: skip
PRIORITIES = Topic(
    "support.priorities.v1", "ticket_id", PRIORITY_CHANGE, "inputs", 30 * DAY_MS, "delete",
    "a ticket's priority changed",
)  # fmt: skip
QUESTIONS = Topic(
    "support.questions.v1", "ticket_id", QUESTION, "inputs", 30 * DAY_MS, "delete",
    "tickets whose category somebody should say",
)  # fmt: skip
ALERTS = Topic(
    "risk.alerts.v1", "entity", ALERT, "inputs", 90 * DAY_MS, "delete",
    "alerts for risk analysts",
)  # fmt: skip

INPUTS: tuple[Topic, ...] = (TICKETS, TRANSACTIONS, FEEDBACK_TOPIC)
KIND_BY_TOPIC: dict[str, EventKind] = {
    TICKETS.name: "ticket",
    TRANSACTIONS.name: "transaction",
    FEEDBACK_TOPIC.name: "feedback",
}


SCHEMA_BY_TOPIC: dict[str, TypeAdapter[Any]] = {topic.name: topic.schema for topic in INPUTS}


def dead_topic(name: str) -> str:
    """Name the topic that holds the dead letters of ``name``."""
    return f"{name}.dead"


DEAD: tuple[Topic, ...] = tuple(
    Topic(
        dead_topic(topic.name), topic.key, DEAD_LETTER, "inputs", 14 * DAY_MS, "delete",
        f"dead letters of {topic.name}: original bytes, headers say why", 2_097_152,
    )
    for topic in INPUTS
)  # fmt: skip

TOPICS: tuple[Topic, ...] = (
    *INPUTS, JOURNAL, LESSONS, POLICIES, QUALITY_TOPIC, DIGESTS,
    PRIORITIES, QUESTIONS, ALERTS, *DEAD,
)  # fmt: skip
