"""The measures that need workers on a broker, as short as they can be, on the stand-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.bench import desk
from streams.bench.desk import measure_ratio
from streams.bench.ground import Asked, Ground
from streams.bench.growth.service import Feed, Service, await_answer, await_decided, events_of
from streams.bench.growth.soak import measure_soak
from streams.bench.growth.watch import JournalWatch
from streams.embedded.broker import EmbeddedBroker
from streams.settings import KafkaSettings, Settings, TopicSettings

pytestmark = pytest.mark.embedded


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        settings = Settings(
            kafka=KafkaSettings(bootstrap=broker.bootstrap), topics=TopicSettings(partitions=2)
        )
        found = Ground(settings, tmp_path, Asked(repeats=1))
        yield found
        found.close()


def test_pure_core_does_in_its_turns_what_the_desk_did(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A batch may be 1,000 records: the first, and one more in each turn than was asked for.
    for name, value in {"EVENTS": 4_000, "WARM_UP_RECORDS": 300, "TURN_RECORDS": 200}.items():
        monkeypatch.setattr(desk, name, value)
    monkeypatch.setattr(desk, "TURNS", 2)
    found = measure_ratio(ground)["desk"]
    assert found["same_records_ratio"] == 1.0
    assert min(found["cpu_us"], found["core_us"], found["events_per_s"]) > 0
    assert found["spread"]["ratio_to_core"]["runs"]


def test_soak_looks_at_a_desk_under_load(ground: Ground) -> None:
    found = measure_soak(ground, 0.2, per_s=100, customers=200, past_days=1, every_s=1.0)
    assert found["events_per_s"] == pytest.approx(100, rel=0.5)
    assert found["lessons"] > 0
    assert all(look["cpu_us"] > 0 and look["rss_mb"] > 50 for look in found["looks"])
    assert found["rss_mb"]["level"] > 50


def test_watch_sees_who_decides_and_who_comes_next(ground: Ground) -> None:
    with Service(ground) as service, JournalWatch(service.kafka, service.partitions) as watch:
        desk = service.add("desk")
        sent = 0
        for seed in (1, 2):
            writers = {number: watch.writer(number) for number in range(service.partitions)}
            with Feed(service.kafka, events_of(100, 50, seed)) as feed:
                sent += feed.finish()
            desk.start()
            await_answer(desk)
            await_decided([desk], sent, 60.0)
            for number, writer in writers.items():
                at_ms = watch.other_writer_ms(number, writer, 10.0)
                assert watch.first_ms(at_ms, 10.0) >= at_ms
                assert watch.writer(number) != writer
            desk.stop()
