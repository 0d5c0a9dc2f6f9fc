"""The fold of a partition in memory, held as bytes: a fifth of what the objects take."""

from bisect import bisect_left, bisect_right

from models.state import Changes, Due, Room, Value
from schemas.codec import decode_json, encode


class PackedState:
    """A :class:`models.state.State` that takes changes.

    It grows with what the desk's own store grows with: customers, tickets, remembered decisions
    and event ids.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, bytes] = {}
        self._agenda: list[Due] = []

    def get(self, room: Room, key: str) -> Value | None:
        """Give the value, or ``None``."""
        raw = self._rooms.get(f"{room}\x00{key}")
        if raw is None:
            return None
        value: Value = decode_json(raw)
        return value

    def due(self, now_ms: int, limit: int) -> list[Due]:
        """Give at most ``limit`` agenda entries with ``at_ms <= now_ms``, in order."""
        end = bisect_right(self._agenda, now_ms, key=lambda entry: entry.at_ms)
        return self._agenda[: min(end, limit)]

    def stage(self, changes: Changes) -> None:
        """Apply the changes of one record."""
        for (room, key), value in changes.rooms.items():
            if value is None:
                self._rooms.pop(f"{room}\x00{key}", None)
            else:
                self._rooms[f"{room}\x00{key}"] = encode(value)
        for entry in changes.removed:
            at = self._at(entry)
            if self._agenda[at : at + 1] == [entry]:
                del self._agenda[at]
        for entry in changes.added:
            at = self._at(entry)
            if self._agenda[at : at + 1] != [entry]:
                self._agenda.insert(at, entry)

    def _at(self, entry: Due) -> int:
        return bisect_left(self._agenda, entry)
