from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_log import append, kafka_settings

from schemas.errors import IncompatibleError
from schemas.registry import JOURNAL
from streams.embedded.broker import EmbeddedBroker
from streams.journal.reader import read
from streams.kafka import make_consumer
from streams.settings import KafkaSettings, TopicSettings
from streams.topics import create_topics

pytestmark = pytest.mark.embedded


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = kafka_settings(broker.bootstrap)
        create_topics(made, TopicSettings(partitions=1))
        yield made


@pytest.mark.parametrize(("start", "end"), [(5, 9), (500, 501)])
def test_stretch_that_is_gone_is_never_read_over(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch, start: int, end: int
) -> None:
    """As after a retention that was too short, or a topic that was made anew."""
    monkeypatch.setattr("streams.journal.reader.PATIENCE_S", 3.0)
    append(kafka, [{"no": number} for number in range(3)])
    consumer = make_consumer(kafka, group="test-reader")
    try:
        with pytest.raises(IncompatibleError, match="has lost"):
            list(read(consumer, JOURNAL.name, 0, start, end))
        entries = list(read(consumer, JOURNAL.name, 0, 0, 3))
    finally:
        consumer.close()
    assert [entry.offset for entry in entries] == [0, 1, 2]
