"""Creates and inspects topics (kafka-python's admin client)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.errors import MisconfiguredError, UnavailableError
from schemas.registry import INPUTS, JOURNAL, TOPICS, Topic
from streams.settings import KafkaSettings, TopicSettings


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic of the registry as the broker has it."""

    topic: Topic
    partition_count: int
    """0 where the topic is missing."""


def create_topics(kafka: KafkaSettings, settings: TopicSettings) -> list[str]:
    """Create the topics that are missing and give their names; existing ones are left alone.

    Raises:
        UnavailableError: the broker cannot be reached.
        MisconfiguredError: an existing topic has another number of partitions.
    """
    admin = _admin(kafka)
    try:
        there = _counts(admin)
        faults, made = [], []
        for topic in TOPICS:
            wanted = partitions_of(topic, settings)
            count = there.get(topic.name)
            if count is None:
                _create(admin, topic, wanted, settings.replication_factor)
                made.append(topic.name)
            elif count != wanted:
                faults.append(f"{topic.name} has {count} partitions, the settings say {wanted}")
        if faults:
            raise MisconfiguredError("\n".join(faults))
        return made
    finally:
        admin.close()


def list_topics(kafka: KafkaSettings) -> list[TopicState]:
    """Give every topic of the registry with the partition count that the broker has."""
    there = partition_counts(kafka, [topic.name for topic in TOPICS])
    return [TopicState(topic, there.get(topic.name, 0)) for topic in TOPICS]


def partition_counts(kafka: KafkaSettings, names: Iterable[str]) -> dict[str, int]:
    """Give the partition counts of those of the topics that exist.

    Raises:
        UnavailableError: the broker cannot be reached.
    """
    admin = _admin(kafka)
    try:
        there = _counts(admin)
    finally:
        admin.close()
    return {name: there[name] for name in names if name in there}


def journal_partitions(kafka: KafkaSettings) -> int:
    """Give the partition count that inputs and journal share.

    Raises:
        MisconfiguredError: topics are missing or not partitioned alike.
    """
    names = [topic.name for topic in (*INPUTS, JOURNAL)]
    counts = partition_counts(kafka, names)
    missing = [name for name in names if name not in counts]
    if missing:
        raise MisconfiguredError(
            f"no such topics: {', '.join(missing)}; run `riverdesk topics create`"
        )
    if len(set(counts.values())) != 1:
        raise MisconfiguredError(f"inputs and journal must have equally many partitions: {counts}")
    return counts[JOURNAL.name]


def partitions_of(topic: Topic, settings: TopicSettings) -> int:
    """Give how many partitions a topic is created with."""
    return settings.partitions if topic.partitions == "inputs" else topic.partitions


def topic_config(topic: Topic) -> dict[str, str]:
    """Give a topic's broker settings."""
    return {
        "cleanup.policy": topic.cleanup,
        "retention.ms": str(topic.retention_ms),
        "max.message.bytes": str(topic.max_message_bytes),
        "message.timestamp.type": topic.timestamps,
    }


def _create(admin: Any, topic: Topic, partitions: int, replication: int) -> None:
    new = NewTopic(
        topic.name,
        num_partitions=partitions,
        replication_factor=replication,
        topic_configs=topic_config(topic),
    )
    try:
        admin.create_topics([new])
    except TopicAlreadyExistsError:
        return  # somebody else was quicker
    except KafkaError as fault:
        raise UnavailableError(f"{topic.name} could not be created: {fault}") from fault


def _counts(admin: Any) -> dict[str, int]:
    try:
        described = admin.describe_topics()
    except KafkaError as fault:
        raise UnavailableError(f"topics cannot be listed: {fault}") from fault
    return {each["name"]: len(each["partitions"]) for each in described}


def _admin(kafka: KafkaSettings) -> Any:
    secret = kafka.sasl_password.get_secret_value() if kafka.sasl_password else None
    try:
        return KafkaAdminClient(
            bootstrap_servers=kafka.bootstrap,
            security_protocol=kafka.security_protocol.upper(),
            sasl_mechanism=kafka.sasl_mechanism,
            sasl_plain_username=kafka.sasl_username,
            sasl_plain_password=secret,
            request_timeout_ms=10_000,
            bootstrap_timeout_ms=10_000,
        )
    except KafkaError as fault:
        raise UnavailableError(f"no broker answers at {kafka.bootstrap}: {fault}") from fault
