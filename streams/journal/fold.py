"""Folds journal records into a partition's state: one code live, after a crash and in replay."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from models import core as riverdesk
from models.state import Changes, State
from models.verbs import Core
from schemas.codec import decode_json, digest_bytes
from streams.desk.position import FoldPosition
from streams.journal.acceptance import Reading
from streams.journal.reader import Entry


class Folded(State, Protocol):
    """A state that takes changes."""

    def stage(self, changes: Changes) -> None:
        """Apply the changes of one record."""


def fold(
    entry: Entry, state: Folded, position: FoldPosition, core: Core = riverdesk
) -> FoldPosition:
    """Apply one journal record to the state, if it counts; give the position after it.

    Records that the reader's rule does not accept change nothing but ``journal_next``.
    """
    record: Mapping[str, Any] = decode_json(entry.value)
    after = replace(position, journal_next=entry.offset + 1, last_digest=digest_bytes(entry.value))
    reading = position.reading.accept(record)
    if reading is None:
        return after
    if record["kind"] != "claim":
        state.stage(core.advance(record, state))
    return advance_position(after, record, reading_after=reading)


def advance_position(
    position: FoldPosition, record: Mapping[str, Any], *, reading_after: Reading
) -> FoldPosition:
    """Give the position after an accepted record."""
    sources, refusals = position.sources, position.refusals
    source = record.get("source")
    if source is not None:
        refusals = refusals.after(record["kind"] == "dead")
        sources = {**sources, source["topic"]: source["offset"] + 1}
    learner = record.get("learner")
    return replace(
        position,
        reading=reading_after,
        sources=sources,
        revision=max(position.revision, learner["revision"]) if learner else position.revision,
        tick_ms=max(position.tick_ms, record.get("tick_ms", 0)),
        refusals=refusals,
    )
