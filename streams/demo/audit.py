"""Counts what was decided and what came out, by id, as any reader of the topics would see it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.codec import decode_json
from schemas.errors import UnavailableError
from schemas.registry import ALERTS, DEAD, JOURNAL, LESSONS, PRIORITIES, QUALITY_TOPIC, QUESTIONS
from streams.journal.acceptance import Reading
from streams.kafka import Consumer, KafkaError, TopicPartition, make_consumer
from streams.settings import Settings

ALONE = (LESSONS.name, QUALITY_TOPIC.name)
"""Outputs of one partition."""
OUTPUTS = (ALERTS.name, PRIORITIES.name, QUESTIONS.name, *ALONE)
PATIENCE_POLLS = 300
Position = tuple[str, int, int]


class TicketSeen(NamedTuple):
    """What was said of a ticket when it was opened."""

    ticket_id: str
    category: str | None
    occurred_ms: int
    answered: bool
    """The desk answers for the category."""
    asked: bool | None
    """``None`` where nobody could be asked."""


class TransactionSeen(NamedTuple):
    """What was said of a transaction."""

    transaction_id: str
    score: float
    score_kind: str
    occurred_ms: int


@dataclass(slots=True)
class Seen:
    """What readers of the journal accept."""

    answers: Counter[Position] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    ignored_count: int = 0
    effects: dict[str, Counter[str]] = field(
        default_factory=lambda: {topic: Counter() for topic in OUTPUTS}
    )
    tickets: list[TicketSeen] = field(default_factory=list)
    transactions: list[TransactionSeen] = field(default_factory=list)
    waits_ms: list[tuple[int, int]] = field(default_factory=list)
    """Publishing time and what passed until the append, for each input record."""
    labels: Counter[str] = field(default_factory=Counter)
    """Labelled lessons by task."""


class Audit:
    """Follows the journal from its beginning.

    Args:
        settings: The broker.
        partition_count: Of the journal.
    """

    def __init__(self, settings: Settings, partition_count: int) -> None:
        self._settings = settings
        self._partition_count = partition_count
        self._readings = [Reading() for _ in range(partition_count)]
        self._next = [0] * partition_count
        self.consumer = make_consumer(settings.kafka, group="riverdesk-audit")
        self.consumer.assign(
            [TopicPartition(JOURNAL.name, number, 0) for number in range(partition_count)]
        )
        self.seen = Seen()

    def close(self) -> None:
        """Close the consumer."""
        self.consumer.close()

    def last_number(self, partition: int) -> int:
        """Give the number of the last accepted record that was read."""
        return self._readings[partition].number

    def catch_up(self, ends: Mapping[int, int]) -> None:
        """Read the journal up to the given ends.

        Raises:
            UnavailableError: it does not hold so much.
        """
        idle_count = 0
        while any(self._next[number] < end for number, end in ends.items()):
            messages = self.consumer.consume(1_000, 0.1)
            idle_count = 0 if messages else idle_count + 1
            if idle_count > PATIENCE_POLLS:
                raise UnavailableError("the journal ends before the desk says it does")
            for message in messages:
                if message.error() is None:
                    number = message.partition() or 0
                    self._next[number] = (message.offset() or 0) + 1
                    self._note(number, decode_json(message.value() or b""), message.timestamp()[1])

    def _note(self, number: int, record: dict[str, Any], appended_ms: int) -> None:
        seen = self.seen
        reading = self._readings[number].accept(record)
        if reading is None:
            seen.ignored_count += 1
            return
        self._readings[number] = reading
        kind = record["kind"]
        seen.kinds[kind] += 1
        source = record.get("source")
        if source is not None:
            seen.answers[(source["topic"], source["partition"], source["offset"])] += 1
            seen.waits_ms.append((source["published_ms"], appended_ms - source["published_ms"]))
        for effect in record.get("effects", ()):
            value = effect["value"]
            seen.effects[effect["topic"]][value["id"]] += 1
            if effect["topic"] == LESSONS.name and value["label"] is not None:
                seen.labels[value["task"]] += 1
        if kind == "ticket" and record["event"]["type"] == "ticket.opened":
            decision = record["decision"]
            seen.tickets.append(
                TicketSeen(
                    decision["ticket_id"],
                    decision["category"],
                    record["occurred_ms"],
                    not decision["abstained"],
                    None if decision["ask_propensity"] is None else decision["asked"],
                )
            )
        elif kind == "transaction":
            decision = record["decision"]
            seen.transactions.append(
                TransactionSeen(
                    decision["transaction_id"],
                    decision["score"],
                    decision["score_kind"],
                    record["occurred_ms"],
                )
            )


def read_outputs(settings: Settings, partition_count: int) -> dict[str, Counter[str]]:
    """Give how often each id stands in each output topic, as a ``read_committed`` reader sees it.

    Dead letters are identified by the position of their source.
    """
    found: dict[str, Counter[str]] = {topic: Counter() for topic in OUTPUTS}

    def by_id(message: Any) -> str:
        return str(decode_json(message.value() or b"")["id"])

    def by_source(message: Any) -> str:
        headers = {name: value.decode() for name, value in message.headers() or ()}
        return "/".join(
            headers[name] for name in ("riverdesk_topic", "riverdesk_partition", "riverdesk_offset")
        )

    for topic in OUTPUTS:
        count = 1 if topic in ALONE else partition_count
        _read_all(settings, topic, count, found[topic], by_id)
    for dead in DEAD:
        found[dead.name] = Counter()
        _read_all(settings, dead.name, partition_count, found[dead.name], by_source)
    return found


def _read_all(
    settings: Settings,
    topic: str,
    partition_count: int,
    found: Counter[str],
    identify: Callable[[Any], str],
) -> None:
    consumer: Consumer = make_consumer(settings.kafka, group="riverdesk-audit")
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partition_count)])
    unread = set(range(partition_count))
    idle_count = 0
    try:
        while unread:
            messages = consumer.consume(1_000, 0.1)
            idle_count = 0 if messages else idle_count + 1
            if idle_count > PATIENCE_POLLS:
                raise UnavailableError(f"{topic} cannot be read to its end")
            for message in messages:
                fault = message.error()
                if fault is None:
                    found[identify(message)] += 1
                elif fault.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition() or 0)
    finally:
        consumer.close()
