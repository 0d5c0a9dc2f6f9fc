"""A small company's past, decided by the real partition, and the events that come next.

Its ids carry a mark of fixed width, so that all of a customer's state, and an event, can be given
to another copy of the same company by replacing bytes: see :mod:`streams.bench.growth.copies`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING

from models import core as riverdesk
from models.learning import Learners
from models.verbs import Core
from schemas.codec import decode_json, encode
from schemas.registry import LESSONS
from streams.desk.guard import DeadLetterLimit
from streams.desk.page import Identity
from streams.desk.partition import Decided, Partition
from streams.desk.position import FoldPosition
from streams.desk.store import PartitionStore
from streams.intake.batches import Raw, Slice
from streams.journal.acceptance import Reading
from streams.journal.writer import Outgoing
from streams.simulator.company import company

START_MS = 1_772_409_600_000
MARK = b"x00000x"
"""Stands before every id of a customer, an event, a ticket and a transaction."""
MASKING_KEY = b"bench"
SLICE_RECORDS = 300
SEED = 1
_IDS = re.compile(rb"(?<![\w-])(s%d-|c\d{6}(?![\w-]))" % SEED)
_PUBLISHED_AFTER_MS = 10


class History:
    """Events of a company: the first ones decided and learned, the others still to come.

    Args:
        directory: The state is left here, closed.
        customers: So many customers the company has, about.
        past: So many events were decided.
        coming: So many come next.
    """

    def __init__(self, directory: Path, *, customers: int, past: int, coming: int) -> None:
        self.lessons: list[bytes] = []
        """In the order in which they were learned."""
        self.customers: set[str] = set()
        """Those that the past knows, by id."""
        self.journal: list[bytes] = []
        self.learners = Learners()
        days = (past + coming) * 0.35 / customers  # a simulated customer pays every other day
        records = _records(SEED, past + coming, days)
        store = PartitionStore(directory)
        self.partition = own(store, self.learners)
        while part := list(islice(records, min(SLICE_RECORDS, past - len(self.journal)))):
            self.customers.update(_key(raw) for raw in part)
            self._keep(self.partition.decide(slice_of(part, self.partition), _clock(part), None))
            if len(self.journal) >= past:
                break
        self.position: FoldPosition = store.position
        self.items = list(store.items())
        self.coming = list(records)
        store.close()

    def _keep(self, decided: Decided) -> None:
        if decided.dead:
            raise RuntimeError(f"{len(decided.dead)} events of the past were refused")
        self.partition.store.commit(decided.position)
        for entry in decided.entries:
            self.journal.append(entry.value or b"")
        for raw in lessons_of(decided.entries):
            self.learners.fold(raw, self.learners.revision)
            self.lessons.append(raw)

    @property
    def now_ms(self) -> int:
        """When the past ends; while something older is unread, nothing falls due."""
        return min(raw.published_ms for raw in self.coming)


def own(store: PartitionStore, learners: Learners, core: Core = riverdesk) -> Partition:
    """Own the only partition there is, under the first claim."""
    if store.position.reading.epoch == 0:
        store.commit(FoldPosition(Reading(1, "bench", 0), 1))
    limit = DeadLetterLimit(2_000, 10_000, 0.5)
    identity = Identity(0, 1, 1, 1, "bench")
    return Partition(identity, store, learners, MASKING_KEY, 60_000, limit, core)


def slice_of(records: Sequence[Raw], partition: Partition, unread_ms: int | None = None) -> Slice:
    """Give records as the intake would hand them over."""
    sources = partition.position.sources
    ends = {raw.topic: raw.offset + 1 for raw in records}
    continues = {topic: sources.get(topic, OFFSET_BEGINNING) for topic in ends}
    return Slice(0, 1, continues, ends, list(records), unread_ms)


def lessons_of(entries: Sequence[Outgoing]) -> Iterator[bytes]:
    """Give the lessons among the effects of journal records, as the publisher writes them."""
    for entry in entries:
        record: dict[str, Any] = decode_json(entry.value or b"")
        for effect in record.get("effects", ()):
            if effect["topic"] == LESSONS.name:
                yield encode(effect["value"])


def _records(seed: int, count: int, days: float) -> Iterator[Raw]:
    offsets: dict[str, int] = {}
    for event in company(seed, count, START_MS, days=days):
        value = _IDS.sub(MARK + rb"\1", event.value)
        offset = offsets.get(event.topic, 0)
        offsets[event.topic] = offset + 1
        key = MARK + event.key.encode()
        yield Raw(event.at_ms + _PUBLISHED_AFTER_MS, event.topic, offset, key, value)


def _clock(records: Sequence[Raw]) -> Any:
    return lambda: records[-1].published_ms


def _key(raw: Raw) -> str:
    return (raw.key or b"").decode()
