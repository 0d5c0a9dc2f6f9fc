"""How far each topic partition was read: what comes next, and what may still be unread.

The client may hand over records and ends of an assignment that was already replaced. So the first
record after an assignment that does not stand where it is expected counts only once it has come
again, first again, after the partition was read anew.
"""

from collections.abc import Iterable, Mapping

from confluent_kafka import OFFSET_BEGINNING

Place = tuple[str, int]
"""Topic and partition."""

Positions = Mapping[str, int]
"""Next offset by topic; ``OFFSET_BEGINNING`` where nothing was read yet."""


class Continuity:
    """The positions of one consumer.

    Attributes:
        moved: The positions are not those that the consumer reads from; assign it anew.
    """

    def __init__(self) -> None:
        self.moved = False
        self._owned: set[Place] = set()
        self._next: dict[Place, int] = {}
        self._at_end: dict[Place, int] = {}
        self._read_ms: dict[Place, int] = {}
        self._unconfirmed: dict[Place, tuple[int | None, int | None]] = {}
        """Since the last assignment unread; what came too far ahead first, before it and since."""

    def own(self, places: Iterable[Place]) -> None:
        """Begin with other places; none of them is read before it is started."""
        self._owned = set(places)
        self._next.clear()

    def start(self, partition: int, positions: Positions) -> None:
        """Read a partition number's topics from ``positions`` on."""
        for place in self._places(partition):
            self._next[place] = positions.get(place[0], OFFSET_BEGINNING)
            self._at_end.pop(place, None)
            self._read_ms.pop(place, None)
        self.moved = True

    def halt(self, partition: int) -> None:
        """Stop reading a partition number."""
        for place in self._places(partition):
            self._next.pop(place, None)
        self.moved = True

    def assignment(self) -> dict[Place, int]:
        """Give what the consumer must now be assigned, with the positions."""
        self.moved = False
        self._unconfirmed = {
            place: (self._unconfirmed.get(place, (None, None))[1], None) for place in self._next
        }
        return dict(self._next)

    def partitions(self) -> list[int]:
        """Give the partition numbers that are read."""
        return sorted({number for _, number in self._next})

    def positions(self, partition: int) -> dict[str, int]:
        """Give the next offset of each topic of a partition number."""
        return {topic: at for (topic, number), at in self._next.items() if number == partition}

    def take(self, place: Place, offset: int, published_ms: int) -> bool:
        """Move on behind a record; ``False`` if it is not the next one and must be dropped.

        An offset may be skipped (a transaction's marker has one).
        """
        expected = self._next.get(place)
        if expected is None or offset < expected:
            return False
        if place in self._unconfirmed:
            if offset > max(expected, 0) and not self._confirm(place, offset):
                return False
            del self._unconfirmed[place]
        self._next[place] = offset + 1
        self._read_ms[place] = published_ms
        self._at_end.pop(place, None)
        return True

    def end(self, place: Place, offset: int) -> None:
        """Note that nothing stood at ``offset`` or behind it."""
        expected = self._next.get(place)
        if expected is None or offset < expected:
            return
        if (
            place in self._unconfirmed
            and offset > max(expected, 0)
            and not self._confirm(place, ~offset)  # an end is not a record
        ):
            return
        self._at_end[place] = offset

    def unread_ms(self, partition: int) -> int | None:
        """Give the publishing time below which nothing is unread, ``None`` if all was read."""
        unread = [
            self._read_ms.get(place, 0)
            for place in self._places(partition)
            if place not in self._at_end
        ]
        return min(unread, default=None)

    def end_of(self, place: Place) -> int | None:
        """Give where nothing stood when it was last heard of; ``None`` if more was read since."""
        return self._at_end.get(place)

    def copies(self) -> tuple[frozenset[Place], dict[Place, int], dict[Place, int]]:
        """Give what is owned, the next offsets, and where ends were reached."""
        return frozenset(self._owned), dict(self._next), dict(self._at_end)

    def reread(self, place: Place) -> None:
        """Give back a record that could not be used now."""
        if place in self._next:
            self.moved = True

    def _confirm(self, place: Place, seen: int) -> bool:
        before, since = self._unconfirmed[place]
        if since is not None:
            return False
        if seen == before:
            return True
        self._unconfirmed[place] = (before, seen)
        self.moved = True
        return False

    def _places(self, partition: int) -> list[Place]:
        return [place for place in self._owned if place[1] == partition]
