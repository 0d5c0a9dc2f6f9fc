"""Topics of one test on the embedded broker, with short waits."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from schemas.codec import decode_json, encode
from schemas.registry import JOURNAL
from streams.intake.batches import Batch
from streams.journal.reader import read
from streams.journal.writer import Outgoing, Writer
from streams.kafka import end_offset, make_consumer
from streams.role import Role
from streams.settings import KafkaSettings

PATIENCE_S = 30.0


def kafka_settings(bootstrap: str) -> KafkaSettings:
    return KafkaSettings(
        bootstrap=bootstrap,
        session_timeout_ms=6_000,
        heartbeat_ms=500,
        delivery_timeout_ms=5_000,
    )


def append(kafka: KafkaSettings, records: Iterable[dict[str, Any]], partition: int = 0) -> None:
    writer = Writer(kafka)
    writer.append_now(
        [Outgoing(JOURNAL.name, partition, None, encode(record)) for record in records]
    )


def journal(kafka: KafkaSettings, partition: int = 0) -> list[dict[str, Any]]:
    return contents(kafka, JOURNAL.name, partition)


def contents(kafka: KafkaSettings, topic: str, partition: int = 0) -> list[dict[str, Any]]:
    consumer = make_consumer(kafka, group=f"test-{uuid4().hex}")
    try:
        end = end_offset(consumer, topic, partition)
        return [decode_json(entry.value) for entry in read(consumer, topic, partition, 0, end)]
    finally:
        consumer.close()


class Halts(list[BaseException]):
    """What a role halted for."""

    def __call__(self, fault: BaseException) -> None:
        self.append(fault)


@asynccontextmanager
async def running(
    build: Callable[[Callable[[Batch], Any], Halts], Role],
) -> AsyncIterator[tuple[Role, Halts]]:
    """Run a role without Faust: a task stands for its agent."""
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    halts = Halts()
    role = build(batches.put, halts)

    async def agent() -> None:
        while True:
            await role.process(await batches.get())

    task = asyncio.create_task(agent())
    await role.open()
    try:
        yield role, halts
    finally:
        await role.close()
        task.cancel()


async def until(there: Callable[[], bool], halts: Sequence[BaseException] = ()) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not there():
            assert not halts, halts
            await asyncio.sleep(0.02)
