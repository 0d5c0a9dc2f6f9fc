"""Where a bench runs."""

import time
from pathlib import Path

import pytest

from streams.bench.ground import Asked, Ground
from streams.embedded.broker import EmbeddedBroker
from streams.settings import KafkaSettings, Settings, TopicSettings

pytestmark = pytest.mark.embedded


def test_broker_that_ends_behind_the_bench_is_nobodys_complaint(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        settings = Settings(
            kafka=KafkaSettings(bootstrap=broker.bootstrap), topics=TopicSettings(partitions=2)
        )
        ground = Ground(settings, tmp_path, Asked())
        assert ground.count(ground.add_topic(ground.name("topic"))) == 0
        ground.close()
    time.sleep(0.5)  # a client would notice by now
    assert "rdkafka" not in capfd.readouterr().err
