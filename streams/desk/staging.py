"""Changes that are not on disk yet, in layers, the oldest below.

While the records of one slice are under way the next one is decided, on a state that knows of the
first. So each slice has a layer of its own. Once its records stand in the journal its layer goes
into that of all that was acknowledged, from where it is written, perhaps together with others.
"""

import struct
from collections import deque
from typing import Any, Final

from models.state import Changes, Due, Room, Value

AGENDA_PREFIX = b"\x01"
AGENDA_END = b"\x02"
"""Behind every stored key of the agenda."""
MISSING: Final[Any] = object()


class Layer:
    """What one slice changes, or several.

    Attributes:
        rooms: New values by place; ``None`` where one was removed.
        added: Of the agenda, by stored key.
        removed: Stored keys of the agenda that are gone.
        earliest: None of ``added`` stands before it.
    """

    __slots__ = ("added", "earliest", "removed", "rooms")

    def __init__(self) -> None:
        self.rooms: dict[tuple[Room, str], Value | None] = {}
        self.added: dict[bytes, Due] = {}
        self.removed: set[bytes] = set()
        self.earliest = AGENDA_END

    def take(self, changes: Changes) -> None:
        """Apply the changes of one record."""
        self.rooms.update(changes.rooms)
        for entry in changes.removed:
            key = agenda_key(entry)
            self.added.pop(key, None)
            self.removed.add(key)
        for entry in changes.added:
            key = agenda_key(entry)
            self.removed.discard(key)
            self.added[key] = entry
            self.earliest = min(self.earliest, key)

    def merge(self, later: "Layer") -> None:
        """Apply what a later layer changes."""
        self.rooms |= later.rooms
        self.merge_agenda(later)

    def merge_agenda(self, later: "Layer") -> None:
        """Apply what a later layer changes of the agenda."""
        for key in later.removed:
            self.added.pop(key, None)
        self.added |= later.added
        self.earliest = min(self.earliest, later.earliest)
        self.removed |= later.removed
        self.removed.difference_update(later.added)


class Staging:
    """The layers.

    Attributes:
        newest: Takes the changes of the slice that is being decided.
        acknowledged: All that stands in the journal and is not on disk yet.
    """

    __slots__ = ("_sealed", "acknowledged", "newest")

    def __init__(self) -> None:
        self.newest = Layer()
        self._sealed: deque[Layer] = deque()
        self.acknowledged = Layer()

    def find_older(self, place: tuple[Room, str]) -> Any:
        """Give what layers below the newest have at a place.

        Returns:
            The newest value, ``None`` where it was removed, :data:`MISSING` where nothing is there.
        """
        for layer in reversed(self._sealed):
            if place in layer.rooms:
                return layer.rooms[place]
        return self.acknowledged.rooms.get(place, MISSING)

    def agenda(self) -> Layer:
        """Give what all layers together add to the stored agenda, and take away; no rooms."""
        whole = Layer()
        for layer in self._layers():
            whole.merge_agenda(layer)
        return whole

    def earliest(self) -> bytes:
        """Give a key before which no layer adds to the agenda."""
        return min(layer.earliest for layer in self._layers())

    def seal(self) -> None:
        """End a slice: what comes is of the next one."""
        self._sealed.append(self.newest)
        self.newest = Layer()

    def acknowledge_oldest(self) -> None:
        """Move the oldest sealed layer to what was acknowledged; where none is, the open one."""
        if self._sealed:
            layer = self._sealed.popleft()
        else:
            layer, self.newest = self.newest, Layer()
        if self.acknowledged.rooms or self.acknowledged.added or self.acknowledged.removed:
            self.acknowledged.merge(layer)
        else:
            self.acknowledged = layer

    def clear(self) -> None:
        """Forget everything that was not acknowledged."""
        self._sealed.clear()
        self.newest = Layer()

    def _layers(self) -> tuple[Layer, ...]:
        return (self.acknowledged, *self._sealed, self.newest)


def agenda_key(due: Due) -> bytes:
    """Give the key under which an agenda entry is stored; keys are in order of time."""
    return AGENDA_PREFIX + struct.pack(">Q", due.at_ms) + f"{due.kind}\x00{due.key}".encode()


def agenda_entry(key: bytes) -> Due:
    """Read what :func:`agenda_key` wrote."""
    (at_ms,) = struct.unpack(">Q", key[1:9])
    kind, _, subject = key[9:].decode().partition("\x00")
    return Due(at_ms, kind, subject)  # type: ignore[arg-type]  # written by agenda_key
