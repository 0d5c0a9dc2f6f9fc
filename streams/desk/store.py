r"""The state of one partition in RocksDB: rooms, agenda, and how far the journal was folded.

Changes are staged in memory while a slice is decided, and become durable after the journal has
acknowledged it, with the position, in one atomic write; where slices are small several wait for
one write, which after a crash only means more to fold. :meth:`PartitionStore.discard` throws away
what was not acknowledged. A slice may be decided while the records of earlier ones are under way
(:mod:`streams.desk.staging`).

Keys: ``\x00`` the position, ``\x01`` + time + kind + key the agenda, ``\x02`` + room + key values.
"""

import shutil
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, get_args

from rocksdict import Checkpoint, DbClosedError, WriteBatch

from models.state import Changes, Due, Room, Value
from models.version import CORE_VERSION
from schemas.codec import decode_json, encode
from schemas.errors import IncompatibleError, MalformedError, UnavailableError
from streams.desk.agenda import StoredAgenda
from streams.desk.cache import CacheBudget, ValueCache
from streams.desk.database import open_database
from streams.desk.position import FoldPosition
from streams.desk.staging import (
    AGENDA_END,
    AGENDA_PREFIX,
    MISSING,
    Layer,
    Staging,
    agenda_entry,
)

POSITION_KEY = b"\x00"
ROOM_PREFIX = b"\x02"
ROOM_PREFIXES = {room: b"%b%b\x00" % (ROOM_PREFIX, room.encode()) for room in get_args(Room)}
READ_ONCE: Final = frozenset({"seen", "remembered", "parked"})
"""Rooms whose values are looked up once, mostly in vain: they would only crowd out the others."""
FORMAT = 1
UNSAVED_PLACES, UNSAVED_S = 500, 0.2
"""So much may wait for a write, and so long: a write costs as much as a decision."""


class PartitionStore:
    """A :class:`models.state.State` on disk, with staged changes on top.

    Args:
        path: Directory of this partition's store; made if missing.
        read_only: Only look; the store must be there, and nothing of it is changed.
        budget: How many decoded values this store and others keep in memory.

    Raises:
        UnavailableError: another process holds the store.
        MalformedError: its files are damaged, or code of another core version folded it;
            :func:`remove` it and fold the journal anew.
        IncompatibleError: the store was written by another version of its format.
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, budget: CacheBudget | None = None
    ) -> None:
        self.path = path
        self.budget = budget or CacheBudget()
        if not read_only:
            path.mkdir(parents=True, exist_ok=True)
        self._db = open_database(path, read_only=read_only)
        self._staging = Staging()
        self._agenda = StoredAgenda(self._agenda_keys)
        self._unsaved_since_s: float | None = None
        self._flushing = threading.Lock()
        try:
            self.position = self._load_position()
        except BaseException:
            self._db.close()  # or nobody could open it again
            raise
        self._cache = ValueCache(self.budget)
        self.began_at = self.position.journal_next
        """Where the fold stood when the store was opened."""
        self.origin: Literal["log", "store", "checkpoint"] = "store" if self.began_at else "log"
        """From what the fold went on then."""

    # -- read: what the pure core sees ----------------------------------------------------------

    def get(self, room: Room, key: str) -> Value | None:
        """Give the value with staged changes seen, or ``None``."""
        place = (room, key)
        value: Value | None = self._staging.newest.rooms.get(place, MISSING)
        if value is MISSING:
            value = self._staging.find_older(place)
        if value is not MISSING:
            return value
        value = self._cache.find(place)
        if value is not MISSING:
            return value
        raw = self._read(_stored_key(room, key))
        value = None if raw is None else decode_json(raw)
        if room not in READ_ONCE:
            self._cache.keep(place, value)
        return value

    def due(self, now_ms: int, limit: int) -> list[Due]:
        """Give at most ``limit`` agenda entries with ``at_ms <= now_ms``, in order."""
        bound = AGENDA_PREFIX + struct.pack(">Q", now_ms + 1)
        stored = self._agenda.earliest(self._staging.acknowledged.removed)
        if min(stored, self._staging.earliest()) >= bound:
            return []
        staged = self._staging.agenda()
        found = {key: due for key, due in staged.added.items() if key < bound}
        stays = (key for key in self._agenda.before(bound) if key not in staged.removed)
        found |= {key: agenda_entry(key) for key in islice(stays, limit)}
        return [found[key] for key in sorted(found)][:limit]

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Give all that is on disk but the position, as it is stored, by key.

        Raises:
            MalformedError: a part of it cannot be read.
        """
        entries = self._db.iter()
        entries.seek(AGENDA_PREFIX)
        while entries.valid():
            yield bytes(entries.key()), bytes(entries.value())
            entries.next()
        try:
            entries.status()
        except Exception as fault:  # rocksdict raises bare exceptions
            raise MalformedError(f"state store {self.path} is damaged: {fault}") from fault

    # -- write ----------------------------------------------------------------------------------

    def stage(self, changes: Changes) -> None:
        """Apply the changes of one record in memory."""
        self._staging.newest.take(changes)

    def seal(self) -> None:
        """End a slice: what is staged from now on is acknowledged after it."""
        self._staging.seal()

    def acknowledge(self, position: FoldPosition) -> None:
        """Take note that the journal has the oldest slice that was sealed; the disk may wait.

        Args:
            position: Behind the slice.
        """
        self._staging.acknowledge_oldest()
        self.position = position
        self._unsaved_since_s = self._unsaved_since_s or time.monotonic()

    def commit_if_due(self) -> None:
        """Write what was acknowledged, where it is much or old.

        Raises:
            UnavailableError: as :meth:`commit`.
        """
        since_s = self._unsaved_since_s
        if since_s is not None and (
            len(self._staging.acknowledged.rooms) >= UNSAVED_PLACES
            or time.monotonic() - since_s >= UNSAVED_S
        ):
            self.commit()

    def commit(self, position: FoldPosition | None = None) -> None:
        """Make all that was acknowledged durable, and the position, in one atomic write.

        Args:
            position: Acknowledge the oldest sealed slice first; where none is, all that is staged.

        Raises:
            UnavailableError: the disk does not take it.
        """
        if position is not None:
            self.acknowledge(position)
        if self._unsaved_since_s is None:
            return
        layer = self._staging.acknowledged
        batch = WriteBatch(raw_mode=True)
        for (room, key), value in layer.rooms.items():
            if value is None:
                batch.delete(_stored_key(room, key))
            else:
                batch.put(_stored_key(room, key), encode(value))
        for agenda_key in layer.removed:
            batch.delete(agenda_key)
        for agenda_key in layer.added:
            batch.put(agenda_key, b"")
        content = self.position.content() | {"core": CORE_VERSION}
        batch.put(POSITION_KEY, encode({"format": FORMAT} | content))
        try:
            self._db.write(batch)
        except Exception as fault:
            raise UnavailableError(f"state store {self.path} cannot be written: {fault}") from fault
        self._agenda.write(layer.added, layer.removed)
        for place, value in layer.rooms.items():
            if place[0] not in READ_ONCE:
                self._cache.keep(place, value)
        self._staging.acknowledged = Layer()
        self._unsaved_since_s = None

    def discard(self) -> None:
        """Forget all that the journal has not acknowledged."""
        self._staging.clear()

    def flush(self) -> None:
        """Write what RocksDB holds in memory to files, from any thread; commits go on.

        Raises:
            UnavailableError: the disk does not take it, or the store is closed.
        """
        with self._flushing:
            try:
                self._db.flush(True)
            except Exception as fault:
                raise UnavailableError(f"state store {self.path} cannot flush: {fault}") from fault

    def snapshot(self, path: Path) -> FoldPosition:
        """Link the store's files into a new directory; call it where commits are called.

        After a :meth:`flush` it takes a millisecond or two; without one it writes the memory
        first, and no other thread runs meanwhile.

        Args:
            path: On the same file system; must not exist.

        Returns:
            Where the fold stands in the snapshot.

        Raises:
            UnavailableError: the disk does not take it, or the store is closed.
        """
        self.commit()
        try:
            Checkpoint(self._db).create_checkpoint(str(path))
        except Exception as fault:
            raise UnavailableError(f"state store {self.path} has no snapshot: {fault}") from fault
        return self.position

    def close(self) -> None:
        """Close the store, if it is open; what was not acknowledged is lost on purpose.

        A disk that takes no write keeps the store where it stood: the journal has the rest.
        """
        with suppress(UnavailableError):
            self.commit()
        self._cache.close()
        with self._flushing, suppress(DbClosedError):
            self._db.close()

    def wipe(self) -> None:
        """Empty the store, to fold the journal anew."""
        self.close()
        remove(self.path)
        self.__init__(self.path, budget=self.budget)  # type: ignore[misc]  # the same store, empty

    # -- inside ---------------------------------------------------------------------------------

    def _agenda_keys(self, start: bytes, count: int) -> list[bytes]:
        keys: list[bytes] = []
        entries = self._db.iter()
        entries.seek(start)
        while len(keys) < count and entries.valid() and (key := bytes(entries.key())) < AGENDA_END:
            keys.append(key)
            entries.next()
        try:
            entries.status()
        except Exception as fault:  # rocksdict raises bare exceptions
            raise UnavailableError(f"state store {self.path} cannot be read: {fault}") from fault
        return keys

    def _read(self, key: bytes) -> bytes | None:
        try:
            raw: bytes | None = self._db.get(key)
        except Exception as fault:
            raise UnavailableError(f"state store {self.path} cannot be read: {fault}") from fault
        return raw

    def _load_position(self) -> FoldPosition:
        raw = self._read(POSITION_KEY)
        if raw is None:
            return FoldPosition()
        stored: dict[str, Any] = decode_json(raw)
        if stored.pop("format", None) != FORMAT:
            raise IncompatibleError(
                f"state store {self.path} has another format; delete it to fold the journal anew"
            )
        core = stored.pop("core", CORE_VERSION)
        if core != CORE_VERSION:
            raise MalformedError(f"state store {self.path} was folded by core {core}")
        return FoldPosition.from_content(stored)


def remove(path: Path) -> None:
    """Remove a store that nobody has open; after a crash it is there whole or not at all."""
    gone = path.with_name(f"{path.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    path.rename(gone)
    shutil.rmtree(gone)


def _stored_key(room: Room, key: str) -> bytes:
    return ROOM_PREFIXES[room] + key.encode()
