"""The agenda on disk, with its first entries in memory.

RocksDB steps over everything that was removed, at each look again: an agenda, which grows at one
end and goes at the other, is the worst for that. So what falls due next is held here.
"""

from collections.abc import Callable, Collection, Iterator

from streams.desk.staging import AGENDA_END, AGENDA_PREFIX

HELD = 500


class StoredAgenda:
    """The stored keys of the agenda, in order.

    Args:
        read: Gives the first stored keys from one on, at most so many; the agenda's only.
        held: So many are read at once; twice as many are held at the most, while they suffice.
    """

    def __init__(self, read: Callable[[bytes, int], list[bytes]], held: int = HELD) -> None:
        self._read = read
        self._held = held
        self._head: list[bytes] = []
        self._until = AGENDA_PREFIX
        """What is stored before it is in the head."""

    def earliest(self, gone: Collection[bytes]) -> bytes:
        """Give a key before which nothing is stored but what is ``gone``."""
        return next((key for key in self._head if key not in gone), self._until)

    def before(self, bound: bytes) -> Iterator[bytes]:
        """Give what is stored before a key, in order.

        Raises:
            UnavailableError: the store cannot be read.
        """
        at = 0
        while True:
            while at < len(self._head):
                key = self._head[at]
                if key >= bound:
                    return
                yield key
                at += 1
            if self._until >= bound:
                return
            more = self._read(self._until, self._held)
            self._head += more
            self._until = more[-1] + b"\x00" if len(more) == self._held else AGENDA_END

    def write(self, added: Collection[bytes], removed: Collection[bytes]) -> None:
        """Take note of what was written, after it was."""
        held = {*self._head}
        held.difference_update(removed)
        held.update(key for key in added if key < self._until)
        self._head = sorted(held)
        if len(self._head) > 2 * self._held:
            self._until = self._head[self._held]
            del self._head[self._held :]
