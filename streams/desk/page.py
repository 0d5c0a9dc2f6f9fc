"""The journal entries that one slice becomes, and what they make of the fold's position.

What a fold of these records would find (:mod:`streams.journal.fold`) is kept as plain numbers
while they are written; the position itself is made once, at the end.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.verbs import Core
from schemas.codec import digest_bytes, encode
from schemas.errors import RejectedError
from schemas.journal import JOURNAL_VERSION
from schemas.registry import JOURNAL
from streams.desk.position import FoldPosition
from streams.desk.store import PartitionStore
from streams.journal.acceptance import Reading
from streams.journal.writer import Outgoing

MAX_JOURNAL_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Which partition this is and under which claim it is owned."""

    partition: int
    partition_count: int
    generation: int
    epoch: int
    writer: str


class Page:
    """Takes the entries of one slice; each changes the state that the next one is decided on.

    Args:
        identity: The claim under which records are written.
        store: Takes the changes, staged.
        core: Folds each entry.
        before: Where the fold stands.

    Attributes:
        entries: The records, in order.
        kinds: How many of them are of which kind.
        number: Of the newest record.
        refusals: Which of the newest records were refused.
    """

    __slots__ = (
        "_before",
        "_core",
        "_identity",
        "_revision",
        "_sources",
        "_store",
        "_tick_ms",
        "entries",
        "kinds",
        "number",
        "refusals",
    )

    def __init__(
        self, identity: Identity, store: PartitionStore, core: Core, before: FoldPosition
    ) -> None:
        self.entries: list[Outgoing] = []
        self.kinds: Counter[str] = Counter()
        self.number = before.reading.number
        self.refusals = before.refusals
        self._identity = identity
        self._store = store
        self._core = core
        self._before = before
        self._sources = dict(before.sources)
        self._revision = before.revision
        self._tick_ms = before.tick_ms

    def append(self, draft: Mapping[str, Any], key: bytes | None) -> None:
        """Write a draft down and stage what it changes.

        Raises:
            RejectedError: it is too long for the journal; nothing has changed.
        """
        identity, kind = self._identity, draft["kind"]
        record = {
            "v": JOURNAL_VERSION,
            "kind": kind,
            "epoch": identity.epoch,
            "number": self.number + 1,
            "writer": identity.writer,
            **draft,
        }
        raw = encode(record)
        if len(raw) > MAX_JOURNAL_BYTES:
            raise RejectedError(f"the decision takes {len(raw)} bytes")
        self._store.stage(self._core.advance(record, self._store))
        self.entries.append(Outgoing(JOURNAL.name, identity.partition, key, raw))
        self.kinds[kind] += 1
        self.number += 1
        source = draft.get("source")
        if source is not None:
            self._sources[source["topic"]] = source["offset"] + 1
            if kind == "dead" or self.refusals.bits:
                self.refusals = self.refusals.after(kind == "dead")
        learner = draft.get("learner")
        if learner is not None and learner["revision"] > self._revision:
            self._revision = learner["revision"]
        if kind == "tick":
            self._tick_ms = max(self._tick_ms, draft["tick_ms"])

    def position(self) -> FoldPosition:
        """Give the fold's position once the entries stand at the expected offsets."""
        if not self.entries:
            return self._before
        return FoldPosition(
            Reading(self._identity.epoch, self._identity.writer, self.number),
            self._before.journal_next + len(self.entries),
            digest_bytes(self.entries[-1].value or b""),
            self._sources,
            self._revision,
            self._tick_ms,
            self.refusals,
        )
