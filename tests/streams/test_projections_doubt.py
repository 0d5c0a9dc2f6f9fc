"""Publisher and archiver where an answer fails to come at the worst moment, without Faust."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from embedded_log import append, contents, kafka_settings, running, until

from schemas.errors import UnavailableError
from schemas.registry import LESSONS
from sinks.projection import Rows
from sinks.sink import Range
from streams.archiver.archiver import Archiver
from streams.embedded.broker import EmbeddedBroker
from streams.kafka import Producer, make_producer
from streams.publisher.outlet import Outlet
from streams.publisher.publisher import Publisher
from streams.settings import ArchiverSettings, KafkaSettings, Settings, TopicSettings
from streams.topics import create_topics

pytestmark = pytest.mark.embedded


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        kafka, topics = kafka_settings(broker.bootstrap), TopicSettings(partitions=1)
        create_topics(kafka, topics)
        yield Settings(
            worker="w",
            state_dir=tmp_path,
            kafka=kafka,
            topics=topics,
            archiver=ArchiverSettings(flush_rows=10, flush_interval_ms=50),
        )


def journal(first: int, last: int) -> list[dict[str, Any]]:
    """Entries with one lesson each; the claim stands before the first."""
    claim = {"v": 1, "kind": "claim", "epoch": 1, "writer": "w", "at_ms": 0}
    entries = [
        {
            "v": 1,
            "kind": "dead",
            "epoch": 1,
            "number": number,
            "writer": "w",
            "source": {"topic": "t", "partition": 0, "offset": number, "published_ms": 1},
            "error": {"class": "MalformedError", "stage": "decode", "message": "no"},
            "bytes": 1,
            "decided_ms": 2,
            "effects": [{"topic": LESSONS.name, "key": None, "value": {"id": number}}],
        }
        for number in range(first, last + 1)
    ]
    return [claim, *entries] if first == 1 else entries


def published(settings: Settings) -> Counter[int]:
    return Counter(value["id"] for value in contents(settings.kafka, LESSONS.name))


def publishes(settings: Settings) -> Callable[..., Publisher]:
    return lambda deliver, halt: Publisher(settings, deliver, halt)


def at(role: Any, end: int) -> Callable[[], bool]:
    return lambda: role.status()["partitions"].get("0", {}).get("journal_next", 0) >= end


class Faulty:
    """A producer whose positions are refused as often as it is told."""

    def __init__(self, producer: Producer, faults: list[str]) -> None:
        self._producer = producer
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def send_offsets_to_transaction(self, *arguments: Any) -> None:
        if self._faults:
            self._producer.flush(5.0)  # the outputs are on the log, and must not count
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, self._faults.pop()))
        self._producer.send_offsets_to_transaction(*arguments)


async def test_outputs_whose_position_fails_are_seen_by_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[str] = []

    def make(kafka: KafkaSettings, **more: Any) -> Faulty:
        return Faulty(make_producer(kafka, **more), faults)

    monkeypatch.setattr("streams.publisher.outlet.make_producer", make)
    append(settings.kafka, journal(1, 5))
    async with running(publishes(settings)) as (role, halts):
        await until(at(role, 6), halts)
        faults.append("the coordinator does not answer")
        append(settings.kafka, journal(6, 12))
        await until(at(role, 13), halts)
    assert faults == []
    assert await asyncio.to_thread(published, settings) == Counter(range(1, 13))


async def test_transaction_that_comes_through_late_is_published_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker ends a transaction in doubt when its successor asks for transactions."""
    publish, fence = Outlet.publish, Outlet.fence
    doubtful: list[Any] = []
    under_way: list[Any] = []

    async def lose(outlet: Outlet, *transaction: Any) -> None:
        if not doubtful:
            doubtful.append(transaction)
            under_way.append(transaction)
            outlet._producer = None
            raise UnavailableError("no answer", 0.01)
        await publish(outlet, *transaction)

    async def end_before(outlet: Outlet) -> None:
        if under_way and outlet._producer is None:
            transaction = under_way.pop()
            await publish(Outlet(settings.model_copy(update={"worker": "earlier"})), *transaction)
        await fence(outlet)

    append(settings.kafka, journal(1, 20))
    async with running(publishes(settings)) as (role, halts):
        await until(at(role, 21), halts)
        monkeypatch.setattr(Outlet, "publish", lose)
        monkeypatch.setattr(Outlet, "fence", end_before)
        append(settings.kafka, journal(21, 30))
        await until(at(role, 31), halts)
    assert (len(doubtful), under_way) == (1, [])
    assert await asyncio.to_thread(published, settings) == Counter(range(1, 31))


class Hanging:
    """A producer that once does not come back from a call, as librdkafka was seen to do."""

    def __init__(self, producer: Producer, hangs: list[threading.Event]) -> None:
        self._producer = producer
        self._hangs = hangs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def send_offsets_to_transaction(self, *arguments: Any) -> None:
        if self._hangs:
            self._hangs.pop().wait()
        self._producer.send_offsets_to_transaction(*arguments)


async def test_transaction_that_hangs_is_left_behind_and_published_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs: list[threading.Event] = []

    def make(kafka: KafkaSettings, **more: Any) -> Hanging:
        return Hanging(make_producer(kafka, **more), hangs)

    monkeypatch.setattr("streams.publisher.outlet.make_producer", make)
    monkeypatch.setattr("streams.publisher.outlet.HANGS_AFTER_S", 2.0)
    append(settings.kafka, journal(1, 5))
    async with running(publishes(settings)) as (role, halts):
        await until(at(role, 6), halts)
        hang = threading.Event()
        hangs.append(hang)
        append(settings.kafka, journal(6, 12))
        await until(at(role, 13), halts)
        hang.set()  # it comes back after all: its successor has fenced it off
        append(settings.kafka, journal(13, 15))
        await until(at(role, 16), halts)
    assert await asyncio.to_thread(published, settings) == Counter(range(1, 16))


class Table:
    """A warehouse that remembers which inserts it got."""

    def __init__(self) -> None:
        self.ranges: list[tuple[str, int, int]] = []
        self.silent = False
        """Inserts, but never answers."""

    def write(self, source: Range, rows: Rows, *, again: bool = False) -> dict[str, int]:
        self.ranges.append((source.topic, source.start, source.end))
        if self.silent:
            raise UnavailableError("no answer", 0.05)
        return {"rows": rows.row_count}

    def probe(self) -> None:
        pass


async def test_archiver_that_was_restarted_inserts_nothing_again(settings: Settings) -> None:
    table = Table()

    def archives(deliver: Any, halt: Any) -> Archiver:
        return Archiver(settings, table, deliver, halt)  # type: ignore[arg-type]  # a stand-in

    def inserted(role: Any, end: int) -> Callable[[], bool]:
        return lambda: role.status()["positions"].get("desk.journal.v1/0", 0) >= end

    append(settings.kafka, journal(1, 25))
    async with running(archives) as (role, halts):
        await until(inserted(role, 26), halts)
    before = list(table.ranges)
    append(settings.kafka, journal(26, 30))
    async with running(archives) as (role, halts):
        await until(inserted(role, 31), halts)
    fresh = table.ranges[len(before) :]
    assert min(start for _, start, _ in fresh) == max(end for _, _, end in before) == 26


async def test_archiver_repeats_the_range_it_had_begun_whatever_came_since(
    settings: Settings,
) -> None:
    table = Table()
    table.silent = True
    patient = ArchiverSettings(flush_rows=10**6, flush_interval_ms=1_000)
    later = settings.model_copy(update={"archiver": patient})

    def archives(given: Settings) -> Callable[..., Archiver]:
        return lambda deliver, halt: Archiver(given, table, deliver, halt)  # type: ignore[arg-type]

    append(settings.kafka, journal(1, 12))
    async with running(archives(settings)) as (role, halts):
        await until(lambda: bool(table.ranges), halts)
    begun = table.ranges[0]
    table.ranges.clear()
    table.silent = False
    append(settings.kafka, journal(13, 40))
    async with running(archives(later)) as (role, halts):
        await until(lambda: role.status()["positions"].get("desk.journal.v1/0", 0) >= 41, halts)
    assert table.ranges[0] == begun
    assert [start for _, start, _ in table.ranges[1:]] == [end for _, _, end in table.ranges[:-1]]
