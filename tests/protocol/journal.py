"""The journal of the model: records, the reader's rule, the fold, and what is right in it.

Records are accepted by the product's own rule and positions move by the product's own fold.
"""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from streams.desk.position import FoldPosition
from streams.journal.acceptance import Reading
from streams.journal.fold import advance_position

RULE = frozenset({"greater_epoch", "writer", "epoch", "number"})
"""Parts of the reader's rule that can be switched off."""


class Input(NamedTuple):
    """A record of an input topic."""

    topic: str
    offset: int
    published_ms: int
    event: str
    poison: bool = False


class Record(NamedTuple):
    """A record of the journal."""

    kind: str
    epoch: int
    writer: str
    number: int
    topic: str = ""
    offset: int = -1
    tick_ms: int = 0

    def __str__(self) -> str:
        what = f"tick {self.tick_ms}" if self.kind == "tick" else f"{self.topic}{self.offset}"
        return self.kind if self.kind in ("claim", "void") else f"{what} as {self.kind}"


VOID = Record("void", -1, "", -1)
"""Any record that no reader will ever accept: only that it takes up an offset still matters."""


class Fact(NamedTuple):
    """What an accepted record has changed."""

    kind: str
    topic: str
    offset: int
    tick_ms: int


class Store(NamedTuple):
    """A fold: position and content, as a desk writes it to disk in one piece.

    ``journal_next`` is not in it: whether others have written since is kept beside it.
    """

    reading: Reading = Reading()
    sources: tuple[tuple[str, int], ...] = ()
    tick_ms: int = 0
    facts: tuple[Fact, ...] = ()

    def next_of(self, topic: str) -> int:
        for name, offset in self.sources:
            if name == topic:
                return offset
        return 0


class Journal:
    """Folds and judges records.

    Args:
        inputs: All inputs there will be.
        without: Parts of :data:`RULE` that are switched off.
    """

    def __init__(self, inputs: tuple[Input, ...], without: frozenset[str]) -> None:
        self._inputs = inputs
        self._by_place = {(each.topic, each.offset): each for each in inputs}
        self._accept = _rule(without)
        self.fold = lru_cache(maxsize=None)(self._fold)
        self.broken = lru_cache(maxsize=None)(self._broken)

    def _fold(self, store: Store, record: Record) -> Store:
        reading = self._accept(store.reading, record)
        if reading is None:
            return store
        position = FoldPosition(store.reading, sources=dict(store.sources), tick_ms=store.tick_ms)
        after = advance_position(position, mapping(record), reading_after=reading)
        facts = store.facts
        if record.kind != "claim":
            facts = (*facts, Fact(record.kind, record.topic, record.offset, record.tick_ms))
        return Store(after.reading, tuple(sorted(after.sources.items())), after.tick_ms, facts)

    def verdict(self, store: Store, record: Input) -> str:
        """What an input becomes on a state: always the same."""
        if record.poison:
            return "dead"
        seen = {
            self._by_place[fact.topic, fact.offset].event
            for fact in store.facts
            if fact.kind == "decision"
        }
        return "duplicate" if record.event in seen else "decision"

    def _broken(self, before: Store, record: Record) -> str | None:
        """What a record breaks, if it is accepted."""
        after = self.fold(before, record)
        if after == before or record.kind == "claim":
            return None
        if record.writer != before.reading.writer:
            return f"{record} of a replaced writer is accepted"
        if record.kind == "tick":
            if record.tick_ms <= before.tick_ms:
                return f"{record} is accepted twice"
            for each in self._inputs:
                unread = each.offset >= before.next_of(each.topic)
                if unread and each.published_ms < record.tick_ms:
                    return f"{record} is ahead of an unread input"
            return None
        due = before.next_of(record.topic)
        if record.offset != due:
            return f"{record} is accepted twice" if record.offset < due else "an input is lost"
        right = self.verdict(before, self._by_place[record.topic, record.offset])
        return None if record.kind == right else f"{record} was decided on another state"


def is_void(record: Record, reading: Reading) -> bool:
    """Whether the rule can never accept a record again: epochs and numbers only rise."""
    if record.kind == "claim":
        return record.epoch <= reading.epoch
    if record.epoch == reading.epoch:
        return record.writer != reading.writer or record.number <= reading.number
    return record.epoch < reading.epoch


def _rule(without: frozenset[str]) -> Callable[[Reading, Record], Reading | None]:
    """The reader's rule: the product's own, unless a part of it is switched off."""

    def accept(reading: Reading, record: Record) -> Reading | None:
        return reading.accept(mapping(record))

    def lax(reading: Reading, record: Record) -> Reading | None:
        if record.kind == "void":
            return None
        if record.kind == "claim":
            if record.epoch > reading.epoch or "greater_epoch" in without:
                return Reading(record.epoch, record.writer, reading.number)
            return None
        fits = (
            ("epoch" in without or record.epoch == reading.epoch)
            and ("writer" in without or record.writer == reading.writer)
            and ("number" in without or record.number == reading.number + 1)
        )
        return Reading(reading.epoch, reading.writer, record.number) if fits else None

    return lax if without & RULE else accept


@cache
def mapping(record: Record) -> Mapping[str, Any]:
    """The record as readers of the journal see it."""
    content: dict[str, Any] = {
        "kind": record.kind,
        "epoch": record.epoch,
        "writer": record.writer,
        "number": record.number,
    }
    if record.topic:
        content["source"] = {"topic": record.topic, "offset": record.offset}
    if record.kind == "tick":
        content["tick_ms"] = record.tick_ms
    return content
