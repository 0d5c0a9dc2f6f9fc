from pathlib import Path

import pytest
from embedded_log import kafka_settings

from schemas.registry import ALERTS
from streams.embedded.broker import EmbeddedBroker
from streams.kafka import make_producer
from streams.partitioning import partition_for
from streams.settings import TopicSettings
from streams.topics import create_topics


@pytest.mark.parametrize(
    ("key", "expected"),
    [  # values of Apache Kafka's own unit test of murmur2 (UtilsTest), masked to be positive
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ],
)
def test_partition_for_is_murmur2_as_java_does_it(key: bytes, expected: int) -> None:
    count = 2**31 - 1
    assert partition_for(key, count) == (expected & 0x7FFFFFFF) % count


@pytest.mark.embedded
def test_own_producer_puts_keys_where_everybody_else_does(tmp_path: Path) -> None:
    keys = [f"key-{number}".encode() for number in range(20)]
    put: dict[bytes, int] = {}
    with EmbeddedBroker(tmp_path / "broker") as broker:
        kafka = kafka_settings(broker.bootstrap)
        create_topics(kafka, TopicSettings(partitions=4))
        producer = make_producer(kafka)
        for key in keys:
            producer.produce(
                ALERTS.name,
                value=b"{}",
                key=key,
                on_delivery=lambda _, message: put.update({message.key(): message.partition()}),
            )
        assert producer.flush(10.0) == 0
    assert put == {key: partition_for(key, 4) for key in keys}
