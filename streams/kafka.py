"""The door to librdkafka: clients with the settings that the guarantees need."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from schemas.errors import UnavailableError
from streams.settings import KafkaSettings

__all__ = [
    "Consumer",
    "KafkaError",
    "KafkaException",
    "Message",
    "Producer",
    "TopicPartition",
    "end_offset",
    "gathering",
    "is_gap",
    "make_consumer",
    "make_producer",
    "partition_numbers",
]

GATHERED_BYTES = 65_536
"""Of one answer to a consumer that lets records gather; a backlog has so many at once."""

TAIL_RECORDS = 2_000
"""Records at a topic's end among which the last one is looked for."""

METADATA_TIMEOUT_S = 10.0


def client_config(kafka: KafkaSettings) -> dict[str, Any]:
    """Give what every client shares."""
    config: dict[str, Any] = {
        "bootstrap.servers": kafka.bootstrap,
        "security.protocol": kafka.security_protocol,
        "socket.keepalive.enable": True,
        "log_level": 2,  # librdkafka's own lines; errors come back as events and exceptions
        "reconnect.backoff.max.ms": 1_000,
    }
    if kafka.sasl_mechanism:
        config["sasl.mechanism"] = kafka.sasl_mechanism
        config["sasl.username"] = kafka.sasl_username
        if kafka.sasl_password is not None:
            config["sasl.password"] = kafka.sasl_password.get_secret_value()
    return config


def make_consumer(
    kafka: KafkaSettings, group: str, instance: str | None = None, **more: Any
) -> Consumer:
    """Make a consumer that commits nothing by itself and reads only what was committed.

    Args:
        kafka: The broker.
        group: Consumer group; a reader that assigns itself partitions needs one in name only.
        instance: Static membership: a restart within the session keeps the partitions.
        more: Further librdkafka settings, dots written as underscores.
    """
    config = client_config(kafka) | {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "partition.assignment.strategy": "range",  # equal numbers of all topics to one worker
        "session.timeout.ms": kafka.session_timeout_ms,
        "heartbeat.interval.ms": kafka.heartbeat_ms,
        "enable.partition.eof": True,
        "fetch.wait.max.ms": 100,
        "fetch.error.backoff.ms": 100,
        "fetch.queue.backoff.ms": 10,
        "queued.max.messages.kbytes": 16_384,
        "fetch.message.max.bytes": 2_097_152,
    }
    if instance is not None:
        config["group.instance.id"] = instance
    return Consumer(config | _dotted(more))


def gathering(gather_ms: int) -> dict[str, Any]:
    """Give the settings of a consumer that is answered once much has come, or after a while.

    Args:
        gather_ms: How long the broker gathers what is less than ``GATHERED_BYTES``, and after
            which it says that nothing has come; 0: it answers as soon as there is anything.
    """
    if not gather_ms:
        return {"fetch_min_bytes": 1}
    return {"fetch_min_bytes": GATHERED_BYTES, "fetch_wait_max_ms": gather_ms}


def make_producer(kafka: KafkaSettings, **more: Any) -> Producer:
    """Make an idempotent producer that partitions keys with murmur2."""
    config = client_config(kafka) | {
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "linger.ms": 0,
        "delivery.timeout.ms": kafka.delivery_timeout_ms,
        "message.max.bytes": 2_097_152,
        "compression.type": "lz4",
        "queue.buffering.max.messages": 200_000,
    }
    return Producer(config | _dotted(more))


def end_offset(consumer: Consumer, topic: str, partition: int) -> int:
    """Give the offset that the next record of the partition will have.

    Raises:
        UnavailableError: the broker does not answer.
    """
    return _watermarks(consumer, topic, partition)[1]


def first_offset(consumer: Consumer, topic: str, partition: int) -> int:
    """Give the offset from which on the partition is still stored; what stood before has expired.

    Raises:
        UnavailableError: the broker does not answer.
    """
    return _watermarks(consumer, topic, partition)[0]


def _watermarks(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    try:
        low, high = consumer.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=METADATA_TIMEOUT_S
        )
    except KafkaException as fault:
        raise UnavailableError(f"ends of {topic}/{partition} are not known: {fault}") from fault
    return int(low), int(high)


def last_record_end(consumer: Consumer, topic: str) -> int:
    """Give the offset behind the last record of a topic's one partition, by reading its tail.

    What stands behind it are transactions' markers. The consumer's assignment is given up.

    Raises:
        UnavailableError: the broker does not answer.
    """
    end = end_offset(consumer, topic, 0)
    last = start = max(0, end - TAIL_RECORDS)
    consumer.assign([TopicPartition(topic, 0, start)])
    try:
        while True:
            for message in consumer.consume(1_000, 0.2):
                fault = message.error()
                if fault is None:
                    last = int(message.offset() or 0) + 1
                elif fault.code() == KafkaError._PARTITION_EOF:
                    return last
    finally:
        consumer.unassign()


def is_gap(fault: KafkaError) -> bool:
    """Tell whether records that were to be read are gone: never read over it."""
    return fault.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


def partition_numbers(consumer: Consumer, topic: str) -> list[int]:
    """Give the partitions of a topic.

    Raises:
        UnavailableError: the broker does not tell.
    """
    try:
        listed = consumer.list_topics(topic, timeout=METADATA_TIMEOUT_S).topics[topic]
    except KafkaException as fault:
        raise UnavailableError(f"partitions of {topic} are not known: {fault}") from fault
    return sorted(listed.partitions)


def _dotted(more: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "."): value for name, value in more.items()}
