"""A desk that owns one partition and speaks to nobody; its journal answers as it is told."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from desk_bench import CLOCK_MS, Bench
from desk_events import PARTITION, PARTITION_COUNT, event, raw, slice_of

from schemas.errors import UnavailableError
from schemas.registry import JOURNAL
from streams.desk.desk import Desk
from streams.desk.store import PartitionStore
from streams.intake.batches import Raw, Slice
from streams.journal.writer import Outgoing
from streams.settings import KafkaSettings, Settings


class ScriptedWriter:
    """Acknowledges appends at the offsets that are next, or does what it is told instead."""

    def __init__(self, steps: list[Any], next_offset: int) -> None:
        self.steps = steps
        self.next_offset = next_offset
        self.fault: Exception | None = None
        self.unacknowledged = -1
        """Offset of a record that is sent, but of which nothing is ever heard."""
        self.thrown_away_count = 0

    async def append(self, records: list[Outgoing]) -> list[int]:
        self.steps.append(("append", [record.topic for record in records]))
        if self.fault is not None:
            raise self.fault
        return list(range(len(records)))

    def send_together(self, records: list[Outgoing]) -> Any:
        self.steps.append(("append", [record.topic for record in records]))
        if self.fault is not None:
            raise self.fault
        first, self.next_offset = self.next_offset, self.next_offset + len(records)
        return {(JOURNAL.name, PARTITION): range(first, self.next_offset)}

    async def arrival(self, flight: Any) -> Any:
        if self.unacknowledged in flight[JOURNAL.name, PARTITION]:
            raise UnavailableError("no answer")
        return flight

    def throw_away(self) -> None:
        self.thrown_away_count += 1


class Scripted:
    """A desk that owns one partition and speaks to nobody."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[Any] = []
        self.halts: list[BaseException] = []
        self.ends: bool | UnavailableError = True
        self.more_waits = False
        self.bench = Bench(directory / "store")
        settings = Settings(
            state_dir=directory / "state", kafka=KafkaSettings(bootstrap="127.0.0.1:1")
        )
        self.desk = Desk(
            settings,
            PARTITION_COUNT,
            lambda: CLOCK_MS,
            lambda batch: asyncio.sleep(0),
            self.halts.append,
        )
        self.writer = ScriptedWriter(self.steps, self.bench.store.position.journal_next)
        self.desk._owned.partitions[PARTITION] = self.bench.partition
        self.desk.intake.generation = 1
        acknowledged = self.bench.store.acknowledge
        for thing, name, value in (
            (self.desk._journaling, "_writer", self.writer),
            (self.desk.intake, "hint", self.hint),
            (self.desk.intake, "all_read", self.all_read),
            (self.desk.intake, "more_waits", lambda: self.more_waits),
            (self.desk.intake, "start", lambda *place: self.steps.append(("start", *place))),
            (self.desk.intake, "halt", lambda *place: self.steps.append(("halt", *place))),
            (self.desk._owned, "take", lambda *place: self.steps.append(("take", *place))),
            (
                self.bench.store,
                "acknowledge",
                lambda position: (self.steps.append("acknowledged"), acknowledged(position)),
            ),
        ):
            monkeypatch.setattr(thing, name, value)

    async def all_read(self, quiet: Slice) -> bool:
        if isinstance(self.ends, UnavailableError):
            raise self.ends
        return self.ends

    def hint(self, offsets: list[Any]) -> None:
        self.steps.append(("hint", {each.topic: each.offset for each in offsets}))

    async def process(self, *records: Raw, **changes: Any) -> None:
        positions = changes.pop("positions", self.bench.partition.position.sources)
        part = slice_of(records, positions)
        for name, value in changes.items():
            object.__setattr__(part, name, value)
        await self.desk.process([part])

    def saved(self) -> dict[bytes, bytes]:
        """What is on disk once all that was acknowledged is written."""
        self.bench.store.commit()
        return contents(self.bench.store)

    def stored(self) -> dict[bytes, bytes]:
        """What a new process would find."""
        self.bench.store.close()
        again = PartitionStore(self.bench.store.path)
        found = contents(again)
        again.close()
        return found


@contextmanager
def scripted_desk(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """Give a desk as :class:`Scripted` makes it, and close its store in the end."""
    made = Scripted(directory, monkeypatch)
    yield made
    made.bench.store.close()


def contents(store: PartitionStore) -> dict[bytes, bytes]:
    return {bytes(key): bytes(value) for key, value in store._db.items()}


def payment(offset: int) -> Raw:
    return raw("transaction", offset, event("transaction", f"t{offset}", offset))
