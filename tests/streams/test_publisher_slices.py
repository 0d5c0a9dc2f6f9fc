"""Which slices of the journal the publisher takes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from schemas.codec import encode
from schemas.registry import ALERTS, JOURNAL
from streams.intake.batches import Raw, Slice
from streams.journal.acceptance import Reading
from streams.publisher.outlet import Output
from streams.publisher.publisher import Publisher
from streams.settings import KafkaSettings, Settings


class Published:
    """A publisher that owns journal partition 0 at offset 3, and what it published."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.values: list[bytes] = []
        self.offsets: list[tuple[int, str]] = []
        self.restarted: list[tuple[Any, ...]] = []
        self.halts: list[BaseException] = []
        settings = Settings(state_dir=directory, kafka=KafkaSettings(bootstrap="127.0.0.1:1"))
        self.role = Publisher(settings, lambda batch: asyncio.sleep(0), self.halts.append)
        self.role._generation = self.role.intake.generation = 2
        self.role._positions = {0: 3}
        self.role._readings = {0: Reading(1, "w", 2)}
        monkeypatch.setattr(self.role._outlet, "publish", self.publish)
        monkeypatch.setattr(self.role.intake, "start", lambda *at: self.restarted.append(at))

    async def publish(self, outputs: list[Output], offsets: list[TopicPartition], _: Any) -> None:
        self.values += [output.value for output in outputs]
        self.offsets += [(each.offset, each.metadata or "") for each in offsets]

    async def read(self, first: int, generation: int = 2) -> None:
        """Give the two records at ``first``, numbered as if nothing were missing before."""
        number = self.role._readings[0].number
        records = [record(first, number + 1), record(first + 1, number + 2)]
        ends = {JOURNAL.name: first + 2}
        await self.role.process([Slice(0, generation, {JOURNAL.name: first}, ends, records, None)])


def record(offset: int, number: int) -> Raw:
    effect = {"topic": ALERTS.name, "key": "k", "value": offset}
    content = {"kind": "tick", "epoch": 1, "writer": "w", "number": number, "effects": [effect]}
    return Raw(1, JOURNAL.name, offset, None, encode(content))


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    return Published(tmp_path, monkeypatch)


async def test_publisher_takes_only_what_continues_its_position(published: Published) -> None:
    await published.read(5)  # what stood at 3 and 4 was lost on the way
    assert published.values == []
    assert published.restarted == [(0, 2, {JOURNAL.name: 3})]
    await published.read(3)
    await published.read(3)  # the same once more
    assert published.values == [b"3", b"4"]
    assert published.offsets == [(5, Reading(1, "w", 4).token())]
    assert published.halts == []


async def test_publisher_drops_an_older_assignment(published: Published) -> None:
    await published.read(3, generation=1)
    assert (published.values, published.restarted) == ([], [])
    await published.read(3)
    assert published.values == [b"3", b"4"]


async def test_publisher_borrows_no_newer_membership(published: Published) -> None:
    """The intake was assigned anew, and the revocation has not reached the publisher yet."""
    published.role.intake.generation = 3
    await published.read(3)
    assert published.values == []
    published.role.intake.generation = 2
    await published.read(3)
    assert published.values == [b"3", b"4"]
