"""Changes that the journal has not acknowledged yet: of the slice being decided, and before it.

While the records of one slice are under way the next one is decided, on a state that knows of the
first. So changes lie in layers, one a slice, the oldest below; each is made durable alone, in
order, once its own records stand in the journal.
"""

import struct
from collections import deque
from typing import Any, Final

from models.state import Changes, Due, Room, Value

AGENDA_PREFIX = b"\x01"
MISSING: Final[Any] = object()


class Layer:
    """What one slice changes.

    Attributes:
        rooms: New values by place; ``None`` where one was removed.
        added: Of the agenda, by stored key.
        removed: Stored keys of the agenda that are gone.
    """

    __slots__ = ("added", "removed", "rooms")

    def __init__(self) -> None:
        self.rooms: dict[tuple[Room, str], Value | None] = {}
        self.added: dict[bytes, Due] = {}
        self.removed: set[bytes] = set()

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


class Staging:
    """The layers.

    Attributes:
        newest: Takes the changes of the slice that is being decided.
    """

    __slots__ = ("_sealed", "newest")

    def __init__(self) -> None:
        self.newest = Layer()
        self._sealed: deque[Layer] = deque()

    def find_sealed(self, place: tuple[Room, str]) -> Any:
        """Give the newest sealed value at a place, ``None`` where removed, or :data:`MISSING`."""
        for layer in reversed(self._sealed):
            if place in layer.rooms:
                return layer.rooms[place]
        return MISSING

    def agenda(self) -> tuple[dict[bytes, Due], set[bytes]]:
        """Give what all layers together add to the stored agenda, and take away from it."""
        added: dict[bytes, Due] = {}
        removed: set[bytes] = set()
        for layer in (*self._sealed, self.newest):
            for key in layer.removed:
                added.pop(key, None)
            added |= layer.added
            removed = (removed | layer.removed) - layer.added.keys()
        return added, removed

    def seal(self) -> None:
        """End a slice: what comes is of the next one."""
        self._sealed.append(self.newest)
        self.newest = Layer()

    def oldest(self) -> Layer:
        """Give what is to become durable next: the oldest sealed layer, else the open one."""
        return self._sealed[0] if self._sealed else self.newest

    def drop_oldest(self) -> None:
        """Forget what :meth:`oldest` gave: it is durable."""
        if self._sealed:
            self._sealed.popleft()
        else:
            self.newest = Layer()

    def clear(self) -> None:
        """Forget everything."""
        self._sealed.clear()
        self.newest = Layer()


def agenda_key(due: Due) -> bytes:
    """Give the key under which an agenda entry is stored; keys are in order of time."""
    return AGENDA_PREFIX + struct.pack(">Q", due.at_ms) + f"{due.kind}\x00{due.key}".encode()


def agenda_entry(key: bytes) -> Due:
    """Read what :func:`agenda_key` wrote."""
    (at_ms,) = struct.unpack(">Q", key[1:9])
    kind, _, subject = key[9:].decode().partition("\x00")
    return Due(at_ms, kind, subject)  # type: ignore[arg-type]  # written by agenda_key
