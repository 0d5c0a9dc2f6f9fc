"""The publisher and the archiver, thrown back and restarted at every bad moment, without Faust."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded_log import append, contents, kafka_settings, running, until

from schemas.codec import encode
from schemas.errors import UnavailableError
from schemas.registry import LESSONS
from sinks.projection import Rows
from sinks.sink import Range
from streams.archiver.archiver import Archiver
from streams.embedded.broker import EmbeddedBroker
from streams.journal.writer import Outgoing, Writer
from streams.publisher.outlet import Outlet
from streams.publisher.publisher import Publisher
from streams.settings import ArchiverSettings, PublisherSettings, Settings, TopicSettings
from streams.topics import create_topics

pytestmark = pytest.mark.embedded

PARTITION_COUNT = 2


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        kafka = kafka_settings(broker.bootstrap)
        topics = TopicSettings(partitions=PARTITION_COUNT)
        create_topics(kafka, topics)
        yield Settings(
            worker="w",
            state_dir=tmp_path,
            kafka=kafka,
            topics=topics,
            publisher=PublisherSettings(batch_records=7),
            archiver=ArchiverSettings(batch_records=7, flush_rows=10, flush_interval_ms=50),
        )


def claim(epoch: int, writer: str = "w") -> dict[str, Any]:
    return {"v": 1, "kind": "claim", "epoch": epoch, "writer": writer, "at_ms": 0}


def entry(partition: int, number: int, epoch: int = 1, writer: str = "w") -> dict[str, Any]:
    value = {"id": f"{partition}/{number}/0"}
    return {
        "v": 1,
        "kind": "dead",
        "epoch": epoch,
        "number": number,
        "writer": writer,
        "source": {"topic": "t", "partition": partition, "offset": number, "published_ms": 1},
        "error": {"class": "MalformedError", "stage": "decode", "message": writer},
        "bytes": 1,
        "decided_ms": 2,
        "effects": [{"topic": LESSONS.name, "key": None, "value": value}],
    }


def entries(partition: int, first: int, last: int, epoch: int = 1) -> list[dict[str, Any]]:
    return [entry(partition, number, epoch) for number in range(first, last + 1)]


def expected(counts: dict[int, int]) -> Counter[str]:
    return Counter(f"{p}/{n}/0" for p, count in counts.items() for n in range(1, count + 1))


def published(settings: Settings) -> Counter[str]:
    return Counter(value["id"] for value in contents(settings.kafka, LESSONS.name))


def publishes(settings: Settings) -> Callable[..., Publisher]:
    return lambda deliver, halt: Publisher(settings, deliver, halt)


def at(role: Any, counts: dict[int, int]) -> Callable[[], bool]:
    def there() -> bool:
        partitions = role.status()["partitions"]
        return all(
            partitions.get(str(n), {}).get("journal_next", 0) >= end for n, end in counts.items()
        )

    return there


async def test_publisher_goes_on_where_it_stopped_and_ignores_zombies(settings: Settings) -> None:
    append(settings.kafka, [claim(1), *entries(0, 1, 20)], 0)
    append(settings.kafka, [claim(1), *entries(1, 1, 5)], 1)
    async with running(publishes(settings)) as (role, halts):
        await until(at(role, {0: 21, 1: 6}), halts)
    zombie = [entry(0, 21, 1, "zombie"), entry(0, 20)]
    append(settings.kafka, [claim(2), *zombie, *entries(0, 21, 30, 2)], 0)
    async with running(publishes(settings)) as (role, halts):
        await until(at(role, {0: 34, 1: 6}), halts)
    assert await asyncio.to_thread(published, settings) == expected({0: 30, 1: 5})


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_doubtful_transaction_is_published_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The answer to a transaction is lost, whether it counted or not."""
    append(settings.kafka, [claim(1), *entries(0, 1, 30)], 0)
    publish = Outlet.publish
    doubts: list[int] = []

    async def doubtful(outlet: Outlet, outputs: Any, offsets: Any, membership: Any) -> None:
        if len(doubts) < 2:
            doubts.append(len(outputs))
            if moment == "after":
                await publish(outlet, outputs, offsets, membership)
            outlet._producer = None
            raise UnavailableError("no answer", 0.01)
        await publish(outlet, outputs, offsets, membership)

    monkeypatch.setattr(Outlet, "publish", doubtful)
    async with running(publishes(settings)) as (role, halts):
        await until(at(role, {0: 31}), halts)
    assert len(doubts) == 2
    assert await asyncio.to_thread(published, settings) == expected({0: 30})


async def test_publisher_without_positions_does_not_repeat_what_was_published(
    settings: Settings,
) -> None:
    append(settings.kafka, [claim(1), *entries(0, 1, 3)], 0)
    earlier = Outgoing(LESSONS.name, 0, None, encode({"id": "0/1/0"}))
    await asyncio.to_thread(Writer(settings.kafka).append_now, [earlier])
    async with running(publishes(settings)) as (_, halts):
        async with asyncio.timeout(30):
            while not halts:
                await asyncio.sleep(0.05)
    assert "lost its positions" in str(halts[0])
    assert await asyncio.to_thread(published, settings) == Counter({"0/1/0": 1})

    on_purpose = settings.publisher.model_copy(update={"from_beginning": True})
    again = settings.model_copy(update={"publisher": on_purpose})
    async with running(publishes(again)) as (role, halts):
        await until(at(role, {0: 4}), halts)
    assert await asyncio.to_thread(published, settings) == Counter(
        {"0/1/0": 2, "0/2/0": 1, "0/3/0": 1}
    )


class Table:
    """A warehouse in a dictionary, which drops repeated tokens; it can fail before or after."""

    def __init__(self) -> None:
        self.inserts: dict[str, list[Any]] = {}
        self.faults: list[str] = []
        self.repeated_count = 0

    def probe(self) -> None:
        if self.faults:
            raise UnavailableError("away", 0.05)

    def write(self, source: Range, rows: Rows, *, again: bool = False) -> dict[str, int]:
        fault = self.faults.pop(0) if self.faults else None
        if fault == "before":
            raise UnavailableError("away", 0.05)
        for name, columns in rows.tables():
            token = source.token(name, rows.row_count)
            assert again or token not in self.inserts, "a repeat that nobody would count"
            self.repeated_count += token in self.inserts
            self.inserts[token] = columns.get("number", [])
        if fault == "after":
            raise UnavailableError("the answer was lost", 0.05)
        return {"rows": rows.row_count}

    def numbers(self, partition: int) -> list[int]:
        return sorted(
            number
            for token, numbers in self.inserts.items()
            if f"journal.v1/{partition}/" in token and token.endswith("/journal_entries")
            for number in numbers
        )


def archives(settings: Settings, table: Table) -> Callable[..., Archiver]:
    return lambda deliver, halt: Archiver(
        settings,
        table,  # type: ignore[arg-type]  # a stand-in for the warehouse
        deliver,
        halt,
    )


def inserted(role: Any, counts: dict[int, int]) -> Callable[[], bool]:
    def there() -> bool:
        positions = role.status()["positions"]
        return all(positions.get(f"desk.journal.v1/{n}", 0) >= end for n, end in counts.items())

    return there


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_archiver_inserts_each_row_once_over_restarts(settings: Settings, fault: str) -> None:
    table = Table()
    append(settings.kafka, [claim(1), *entries(0, 1, 25)], 0)
    append(settings.kafka, [claim(1), *entries(1, 1, 4)], 1)
    table.faults = [fault] * 1_000  # the warehouse is away for good: noted, never done
    async with running(archives(settings, table)) as (role, halts):
        await until(lambda: role.status()["waiting_for"] is not None, halts)
    assert table.faults
    table.faults = [fault]
    append(settings.kafka, [claim(2), entry(0, 26, 1), *entries(0, 26, 40, 2)], 0)
    async with running(archives(settings, table)) as (role, halts):
        await until(inserted(role, {0: 43, 1: 5}), halts)
    assert table.numbers(0) == list(range(1, 41))
    assert table.numbers(1) == [1, 2, 3, 4]
    assert (table.repeated_count > 0) == (fault == "after")
