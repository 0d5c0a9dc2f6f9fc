import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.local_kafka.fetch import missing
from streams.local_kafka.server import KafkaServer

pytestmark = pytest.mark.kafka


def require_kafka() -> None:
    """Skip where Kafka cannot run, unless the environment insists on it."""
    if not (lacking := missing()):
        return
    reason = f"a real Kafka needs {' and '.join(lacking)}"
    if os.environ.get("CI") == "true" or os.environ.get("RIVERDESK_REQUIRE_KAFKA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    require_kafka()
    with KafkaServer(tmp_path_factory.mktemp("kafka"), java_options=["-Xmx500m"]) as started:
        yield started


def test_last_word_on_the_heap_is_the_callers(server: KafkaServer) -> None:
    words = Path(f"/proc/{server.pid}/cmdline").read_text().split("\0")
    assert [word for word in words if word.startswith("-Xmx")][-1] == "-Xmx500m"


def create(server: KafkaServer, name: str, configs: dict[str, str] | None = None) -> None:
    admin = AdminClient({"bootstrap.servers": server.bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=1, config=configs or {})])[name].result(20)


def produce(server: KafkaServer, topic: str, value: bytes) -> KafkaError | None:
    errors: list[KafkaError | None] = []
    producer = Producer(
        {
            "bootstrap.servers": server.bootstrap,
            "message.max.bytes": 3_000_000,
            "topic.metadata.propagation.max.ms": 2_000,  # how long an unknown topic may appear
        }
    )
    producer.produce(topic, value, on_delivery=lambda error, _message: errors.append(error))
    assert producer.flush(20) == 0
    (error,) = errors
    return error


def end_offset(server: KafkaServer, topic: str) -> int:
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "ends"})
    try:
        high: int = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
        return high
    finally:
        consumer.close()


def test_server_keeps_acknowledged_records_over_a_kill(server: KafkaServer) -> None:
    create(server, "killed")
    bootstrap = server.bootstrap
    assert produce(server, "killed", b"acknowledged") is None
    server.kill()
    server.start()
    assert server.bootstrap == bootstrap
    assert end_offset(server, "killed") == 1


def test_server_creates_no_topic_by_itself(server: KafkaServer) -> None:
    error = produce(server, "nobody.made.this", b"x")
    assert error is not None
    assert error.code() in (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART)


def test_topic_takes_two_mebibytes_only_when_configured(server: KafkaServer) -> None:
    create(server, "small")
    create(server, "big", {"max.message.bytes": str(2 * 2**20 + 4096)})
    value = os.urandom(2 * 2**20)
    refusal = produce(server, "small", value)
    assert refusal is not None
    assert refusal.code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert produce(server, "big", value) is None


def test_second_transactional_producer_fences_the_first(server: KafkaServer) -> None:
    create(server, "fenced")
    settings = {"bootstrap.servers": server.bootstrap, "transactional.id": "one-at-a-time"}
    first, second = Producer(settings), Producer(settings)
    first.init_transactions(20)
    second.init_transactions(20)
    first.begin_transaction()
    first.produce("fenced", b"late")
    with pytest.raises(KafkaException) as caught:
        first.commit_transaction(20)
    assert caught.value.args[0].code() == KafkaError._FENCED
    first.purge()
    first.flush(5)
