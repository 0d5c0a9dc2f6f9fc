"""One owned partition on a store of its own, without a broker."""

from pathlib import Path
from typing import Any

import orjson
from desk_events import PARTITION, PARTITION_COUNT, START_MS, slice_of

from models.learning import Learners
from models.policy import Policy
from schemas.codec import encode
from streams.desk.guard import DeadLetterLimit
from streams.desk.page import Identity
from streams.desk.partition import Decided, Partition
from streams.desk.position import FoldPosition
from streams.desk.store import PartitionStore
from streams.intake.batches import Raw
from streams.journal.fold import fold
from streams.journal.reader import Entry

CLOCK_MS = START_MS + 7_200_000
CLAIM = {"v": 1, "kind": "claim", "epoch": 1, "writer": "w", "at_ms": 0}


class Bench:
    """A partition on a store of its own, and everything that it wrote."""

    def __init__(self, path: Path, *, run_limit: int = 2_000) -> None:
        self.store = PartitionStore(path)
        self.journal = [encode(CLAIM)]
        self.store.commit(fold(Entry(0, 0, None, self.journal[0]), self.store, FoldPosition()))
        self.learners = Learners()
        self.newest: Policy | None = None
        self.limit = DeadLetterLimit(run_limit, 10_000, 0.5)
        self.partition = self.owned()

    def owned(self) -> Partition:
        identity = Identity(PARTITION, PARTITION_COUNT, 1, 1, "w")
        return Partition(identity, self.store, self.learners, b"key", 60_000, self.limit)

    def decide(self, *records: Raw, unread_ms: int | None = None) -> Decided:
        part = slice_of(records, self.partition.position.sources, unread_ms)
        assert self.partition.continues(part)
        return self.partition.decide(part, lambda: CLOCK_MS, self.newest)

    def take(self, *records: Raw, unread_ms: int | None = None) -> list[dict[str, Any]]:
        return self.keep(self.decide(*records, unread_ms=unread_ms))

    def tick(self, now_ms: int) -> list[dict[str, Any]]:
        return self.keep(self.partition.rest(now_ms, lambda: CLOCK_MS, None))

    def keep(self, decided: Decided) -> list[dict[str, Any]]:
        """What the desk does once the journal has acknowledged."""
        self.store.commit(decided.position)
        self.journal += [entry.value or b"" for entry in decided.entries]
        return [orjson.loads(entry.value or b"") for entry in decided.entries]


class FullDisk:
    """Stands before the database of a store: a disk that takes no more writes."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    def write(self, batch: object) -> None:
        raise OSError("no space left on device")
