"""Logs as three desks would have left them: made by the desk's own partitions, kept in memory."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desk_events import PARTITION_COUNT, START_MS, customers, event, raw, slice_of

from models.learning import Learners
from models.policy import POLICY_V1, Policy
from schemas.codec import decode_json, encode
from schemas.registry import LESSONS
from streams.desk.guard import DeadLetterLimit
from streams.desk.page import Identity
from streams.desk.partition import Partition
from streams.desk.position import FoldPosition
from streams.desk.store import PartitionStore
from streams.intake.batches import Raw
from streams.journal.fold import fold
from streams.journal.reader import Entry

TEXTS = ("my card was stolen!", "how do I pay", "卡被盗刷了", "refund please, this is urgent")
KINDS = ("transaction",) * 5 + ("ticket", "feedback", "feedback")
FIRST_MS = 1_000


@dataclass
class MemoryLogs:
    """What replay reads, in lists; the latest offset handed out of each is noted."""

    journals: list[list[bytes]]
    lesson_entries: list[Entry]
    lessons_read: list[int] = field(default_factory=list)
    journal_read: dict[int, int] = field(default_factory=dict)

    @property
    def partition_count(self) -> int:
        return len(self.journals)

    @property
    def lessons_end(self) -> int:
        return self.lesson_entries[-1].offset + 1 if self.lesson_entries else 0

    def journal_end(self, partition: int) -> int:
        return len(self.journals[partition])

    def journal(self, partition: int, end: int) -> Iterator[Entry]:
        for offset, value in enumerate(self.journals[partition][:end]):
            self.journal_read[partition] = offset
            yield Entry(offset, 0, None, value)

    def lessons(self) -> Iterator[Entry]:
        for entry in self.lesson_entries:
            self.lessons_read.append(entry.offset)
            yield entry

    def record(self, partition: int, offset: int) -> dict[str, Any]:
        record: dict[str, Any] = decode_json(self.journals[partition][offset])
        return record

    def changed(self, partition: int, offset: int, record: dict[str, Any]) -> "MemoryLogs":
        """The same logs with another record in one place."""
        journals = [list(journal) for journal in self.journals]
        journals[partition][offset] = encode(record)
        return MemoryLogs(journals, self.lesson_entries)


class World:
    """Desks that decide a seeded load; lessons reach them late and in odd portions."""

    def __init__(self, directory: Path, seed: int, turns: int) -> None:
        self.logs = MemoryLogs([[] for _ in range(PARTITION_COUNT)], [])
        self._draw = random.Random(seed)
        self._learners = Learners()
        self._stores = [PartitionStore(directory / str(n)) for n in range(PARTITION_COUNT)]
        self._partitions = [self._claimed(n, 1) for n in range(PARTITION_COUNT)]
        self._offsets: dict[tuple[int, str], int] = {}
        self._subjects: list[tuple[int, str]] = []
        self._waiting: list[bytes] = []
        self._newest: Policy | None = None
        self._clock_ms = FIRST_MS
        for turn in range(turns):
            if turn == turns // 2:
                self._newest = Policy.from_content({**POLICY_V1, "version": 2, "tick_items": 7})
                late = self.logs.journals[0][-1]
                self._partitions[0] = self._claimed(0, 2)
                self._take_in(0, late)  # the replaced owner repeats its last record
            self._decide(self._draw.randrange(PARTITION_COUNT), turn)
            self._learn(self._draw.randrange(4))

    def close(self) -> None:
        for store in self._stores:
            store.close()

    def _claimed(self, number: int, epoch: int) -> Partition:
        writer = f"w{epoch}"
        claim = {"v": 1, "kind": "claim", "epoch": epoch, "writer": writer, "at_ms": 0}
        self._take_in(number, encode(claim))
        identity = Identity(number, PARTITION_COUNT, 1, epoch, writer)
        limit = DeadLetterLimit(2_000, 10_000, 0.5)
        return Partition(
            identity, self._stores[number], self._learners, b"key", 60_000, limit
        )  # fmt: skip

    def _take_in(self, number: int, value: bytes) -> None:
        store, journal = self._stores[number], self.logs.journals[number]
        position = store.position if journal else FoldPosition()
        store.commit(fold(Entry(len(journal), 0, None, value), store, position))
        journal.append(value)
        if len(journal) > 1:  # a partition that is there begins where its store stands
            self._partitions[number].discard()

    def _decide(self, number: int, turn: int) -> None:
        partition = self._partitions[number]
        records = [self._record(number, turn) for _ in range(self._draw.randrange(1, 5))]
        part = slice_of(records, partition.position.sources, partition=number)
        decided = partition.decide(part, self._tell_time, self._newest)
        partition.store.commit(decided.position)
        for entry in decided.entries:
            self.logs.journals[number].append(entry.value or b"")
            for effect in decode_json(entry.value or b"").get("effects", ()):
                if effect["topic"] == LESSONS.name:
                    self._waiting.append(encode(effect["value"]))

    def _record(self, number: int, turn: int) -> Raw:
        draw, kind = self._draw, self._draw.choice(KINDS)
        minutes = turn * 90.0 + draw.random()
        offset = self._offsets.get((number, kind), 0)
        self._offsets[number, kind] = offset + 1
        at_ms = START_MS + int(minutes * 60_000) + 5_000
        customer = draw.choice(customers(number, 3))
        name = f"{kind}-{number}-{offset}"
        if kind == "transaction":
            self._subjects.append((number, name))
            value = event(kind, name, minutes, customer, amount_minor=draw.randrange(100, 90_000))
        elif kind == "ticket":
            value = event(kind, name, minutes, customer, text=draw.choice(TEXTS))
        else:
            known = [subject for at, subject in self._subjects if at == number] or ["nothing"]
            value = event(
                kind, name, minutes, customer, transaction_id=draw.choice(known),
                is_fraud=draw.random() < 0.5,
            )  # fmt: skip
        if draw.random() < 0.03:
            value = b"not json"
        elif draw.random() < 0.03 and offset:
            value = event(kind, f"{kind}-{number}-{offset - 1}", minutes, customer)
        return raw(kind, offset, value, ms=at_ms)

    def _learn(self, count: int) -> None:
        for value in self._waiting[:count]:
            entries = self.logs.lesson_entries
            marker = self._draw.random() < 0.3  # a transaction's marker takes an offset too
            offset = (entries[-1].offset + 1 if entries else 0) + marker
            entries.append(Entry(offset, 0, None, value))
            self._learners.fold(value, offset)
        del self._waiting[:count]

    def _tell_time(self) -> int:
        self._clock_ms += self._draw.randrange(50)
        return self._clock_ms
