"""What producers were told is on the log: positions and digests, a few bytes an event."""

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from threading import Lock

DIGEST_BYTES = 16
Place = tuple[str, int]
"""Topic and partition."""


class Published:
    """Every acknowledged input record, 24 bytes each; producers of several threads may note.

    Note a record in the producer's delivery callback, once it is acknowledged without an error:
    ``published.note(message.topic(), message.partition(), message.offset(), key, value)``.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._offsets: dict[Place, array[int]] = {}
        self._digests: dict[Place, bytearray] = {}

    def note(
        self, topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None
    ) -> None:
        """Remember an acknowledged record; positions may come in any order."""
        content = content_digest(key, value)
        place = (topic, partition)
        with self._lock:
            if place not in self._offsets:
                self._offsets[place] = array("Q")
                self._digests[place] = bytearray()
            self._offsets[place].append(offset)
            self._digests[place] += content

    @property
    def count(self) -> int:
        """Acknowledged records so far."""
        with self._lock:
            return sum(len(offsets) for offsets in self._offsets.values())

    @property
    def ends(self) -> dict[Place, int]:
        """Give, by place, the offset behind the last acknowledged record (for a barrier)."""
        with self._lock:
            return {place: max(offsets) + 1 for place, offsets in self._offsets.items()}

    def places(self) -> list[Place]:
        """Give the topic partitions that something was published to, in order."""
        with self._lock:
            return sorted(self._offsets)

    def at(self, place: Place) -> Iterator[tuple[int, bytes]]:
        """Give offset and content digest of what was acknowledged there, by offset."""
        with self._lock:
            offsets = self._offsets.get(place, array("Q"))[:]
            digests = bytes(self._digests.get(place, b""))
        for index in sorted(range(len(offsets)), key=offsets.__getitem__):
            yield offsets[index], digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]


def content_digest(key: bytes | None, value: bytes | None) -> bytes:
    """Digest a record's key and value, 16 bytes; a missing one is not an empty one."""
    head = b"-" if key is None else b"%d:%b" % (len(key), key)
    tail = b"-" if value is None else b"+" + value
    return blake2b(head + tail, digest_size=DIGEST_BYTES).digest()
