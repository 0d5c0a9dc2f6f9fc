"""A rival writes to the journal behind a desk that does not know yet that it was replaced.

The rival's claim makes everything that the desk writes afterwards void. The broker acknowledges it
all the same: only its offset tells, and the state must never hold what no reader accepts.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_events import CUSTOMERS, PARTITION, PARTITION_COUNT, event
from embedded_log import append, journal, kafka_settings, running, until

from schemas.registry import TRANSACTIONS
from streams.desk.desk import Desk
from streams.embedded.broker import EmbeddedBroker
from streams.journal.acceptance import Reading
from streams.journal.writer import Outgoing, Writer
from streams.settings import DeskSettings, Settings, TopicSettings
from streams.topics import create_topics

pytestmark = pytest.mark.embedded


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with EmbeddedBroker(tmp_path / "broker") as broker:
        made = Settings(
            kafka=kafka_settings(broker.bootstrap),
            topics=TopicSettings(partitions=PARTITION_COUNT),
            desk=DeskSettings(clock="events"),
            state_dir=tmp_path / "state",
        )
        create_topics(made.kafka, made.topics)
        yield made


def publish(settings: Settings, *names: str) -> None:
    Writer(settings.kafka).append_now(
        [
            Outgoing(
                TRANSACTIONS.name,
                PARTITION,
                CUSTOMERS[0].encode(),
                event("transaction", name, float(minutes)),
            )
            for minutes, name in enumerate(names)
        ]
    )


def accepted(settings: Settings) -> list[dict[str, Any]]:
    reading, kept = Reading(), []
    for record in journal(settings.kafka, PARTITION):
        after = reading.accept(record)
        if after is not None:
            reading = after
            kept.append(record)
    return kept


def decided(settings: Settings) -> list[str]:
    return [each["event"]["transaction_id"] for each in accepted(settings) if "event" in each]


async def test_desk_notices_a_rival_by_the_offset_of_its_own_record(settings: Settings) -> None:
    def desk(deliver: Any, halt: Any) -> Desk:
        return Desk(settings, PARTITION_COUNT, lambda: 1_772_442_000_000, deliver, halt)

    def stands_at(role: Any, epoch: int, next_offset: int) -> bool:
        owned = role.status()["partitions"].get(str(PARTITION))
        sources = owned["sources"] if owned else {}
        return bool(owned) and (owned["epoch"], sources.get(TRANSACTIONS.name)) == (
            epoch,
            next_offset,
        )

    async with running(desk) as (role, halts):
        await asyncio.to_thread(publish, settings, "t1")
        await until(lambda: stands_at(role, 1, 1), halts)
        rival = {"v": 1, "kind": "claim", "epoch": 2, "writer": "rival", "at_ms": 1}
        await asyncio.to_thread(append, settings.kafka, [rival], PARTITION)
        await asyncio.to_thread(publish, settings, "t2", "t3")
        await until(lambda: stands_at(role, 3, 3), halts)
    assert await asyncio.to_thread(decided, settings) == ["t1", "t2", "t3"]
    void = [r for r in journal(settings.kafka, PARTITION) if "event" in r and r["epoch"] == 1]
    assert len(void) > 1  # the broker had acknowledged what nobody accepts
