"""What the pure core reads and changes: rooms of JSON values, and an agenda of what falls due.

A partition's state is a fold of its journal. Values are plain JSON objects and are never changed
in place: whoever changes one writes a new object. ``streams`` keeps the rooms in RocksDB;
``MemoryState`` keeps them in dictionaries, for tests, evaluation and replay.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

Room = Literal["customer", "ticket", "remembered", "seen", "parked", "alert", "ledger", "policy"]
"""Where a value lives.

customer    what is known of one customer; key tenant/customer_id
ticket      which customer a ticket belongs to and what was decided; key tenant/ticket_id
remembered  a decision that a label may still meet; key kind/tenant/subject_id
seen        position and time of an event id, for duplicates; key tenant/event_id
parked      feedback that came before its decision; key kind/tenant/subject_id
alert       an alert that may get a verdict; key alert id
ledger      the partition's own sums (alert budget, score histogram, last tick), key "", and what
            was asked about tickets, key asking
policy      the policy in force, whole; key ""
"""

Value = Mapping[str, Any]


class Due(NamedTuple):
    """Something that falls due: ordered by time, then kind, then key."""

    at_ms: int
    kind: Literal["mature", "reprioritise"]
    key: str


class Changes(NamedTuple):
    """What one record changes; applied in one piece.

    Args:
        rooms: New values by room and key; ``None`` removes.
        added: Entries to put on the agenda.
        removed: Entries to take off the agenda (absent ones are ignored).
    """

    rooms: Mapping[tuple[Room, str], Value | None]
    added: Sequence[Due] = ()
    removed: Sequence[Due] = ()


class State(Protocol):
    """Read access to the fold of one journal partition."""

    def get(self, room: Room, key: str) -> Value | None:
        """Give the value, or ``None``; the caller must not change it."""
        ...

    def due(self, now_ms: int, limit: int) -> list[Due]:
        """Give at most ``limit`` agenda entries with ``at_ms <= now_ms``, in order."""
        ...


class Stamp(NamedTuple):
    """What comes in from outside with a decision.

    Args:
        partition: Partition of inputs and journal.
        partition_count: How many partitions share the alert budget, >= 1.
        number: The number that the record will have in the journal.
        decided_ms: The clock, milliseconds since the epoch; recorded, never computed with.
    """

    partition: int
    partition_count: int
    number: int
    decided_ms: int

    @property
    def decision_id(self) -> str:
        """Partition/number, the decision's identity."""
        return f"{self.partition}/{self.number}"


@dataclass(slots=True)
class MemoryState:
    """A state in dictionaries."""

    rooms: dict[tuple[Room, str], Value] = field(default_factory=dict)
    agenda: list[Due] = field(default_factory=list)

    def get(self, room: Room, key: str) -> Value | None:
        """Give the value, or ``None``."""
        return self.rooms.get((room, key))

    def due(self, now_ms: int, limit: int) -> list[Due]:
        """Give at most ``limit`` agenda entries with ``at_ms <= now_ms``, in order."""
        end = bisect_right(self.agenda, now_ms, key=lambda entry: entry.at_ms)
        return self.agenda[: min(end, limit)]

    def apply(self, changes: Changes) -> None:
        """Apply the changes of one record."""
        for place, value in changes.rooms.items():
            if value is None:
                self.rooms.pop(place, None)
            else:
                self.rooms[place] = value
        for entry in changes.removed:
            at = bisect_left(self.agenda, entry)
            if self.agenda[at : at + 1] == [entry]:
                del self.agenda[at]
        for entry in changes.added:
            at = bisect_left(self.agenda, entry)
            if self.agenda[at : at + 1] != [entry]:
                self.agenda.insert(at, entry)
