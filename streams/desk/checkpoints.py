"""Checkpoints of the learners: written whole, verified before a byte of them is unpickled.

All workers fold the same lessons, so they share ``<checkpoint directory>/learners``: any of them
begins with the newest checkpoint, whoever wrote it. The header of a sealed file
(:mod:`streams.desk.sealed`) holds ``kind`` ``learners``, ``fingerprint`` (code and configuration),
``revision``, ``digest`` (chain over all lessons) and ``lesson_digest`` (of the last lesson, to be
compared with the log); the payload is a pickle.
"""

import gc
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from models.learning import Learners
from schemas.errors import MalformedError, UnavailableError
from streams.desk.sealed import SealedReader, SealedWriter
from streams.desk.shelf import Shelf

log = structlog.get_logger(__name__)

KIND_DIGITS = 8
"""So much of the fingerprint stands in the name."""


class Checkpoints:
    """A directory with the newest checkpoints.

    Args:
        directory: Made if missing; workers may share it.
        key: Key of the HMAC; without one a plain SHA-256 guards against damage only.
        kept: How many are kept, >= 1.
        worker: Who writes; unique among the workers that share the directory.
    """

    def __init__(self, directory: Path, key: bytes | None, kept: int, worker: str) -> None:
        self.shelf = Shelf(directory, worker, kept)
        self._key = key
        self._size_bytes = 0

    def save(self, learners: Learners) -> Path:
        """Write a checkpoint, from any thread; the learners must not learn meanwhile.

        Other threads run on while it is pickled: after every 64 kB or so they may.

        Raises:
            OSError: the directory is full or cannot be written; try again later.
            UnavailableError: they have learned meanwhile; nothing was kept.
        """
        fingerprint = Learners.fingerprint()
        header = {
            "kind": "learners",
            "fingerprint": fingerprint,
            "revision": learners.revision,
            "digest": learners.digest,
            "lesson_digest": learners.lesson_digest,
            "content": learners.content_digest(),
        }

        def fill(file: BinaryIO) -> None:
            writer = SealedWriter(file, self._key, header)
            _pickle(learners, writer)
            if learners.revision != header["revision"]:
                raise UnavailableError(f"learned on from {header['revision']} while being saved")
            writer.finish()

        path = self.shelf.put(
            learners.revision, learners.digest, fingerprint[:KIND_DIGITS], fill, self._size_bytes
        )
        self._size_bytes = path.stat().st_size
        return path

    def newest(self, agrees: Callable[[int, str], bool]) -> Learners | None:
        """Load the newest checkpoint that is whole, sealed with our key, of this code and log.

        Args:
            agrees: Tells whether the lesson below a revision has a digest on the log.
        """
        for path in self.shelf.paths():
            try:
                return self._load(path, agrees)
            except (MalformedError, OSError) as fault:
                log.warning("checkpoint_refused", path=path.name, reason=str(fault))
        return None

    def discard(self) -> None:
        """Remove all checkpoints: what they hold is not what everybody has."""
        for path in self.shelf.paths():
            with suppress(OSError):
                path.unlink(missing_ok=True)
        log.warning("checkpoints_discarded")

    def _load(self, path: Path, agrees: Callable[[int, str], bool]) -> Learners:
        with path.open("rb") as file:
            reader = SealedReader(file, self._key)
            pickled = reader.take_rest()
            reader.check()
        header: dict[str, Any] = reader.header
        if header.get("kind") != "learners":
            raise MalformedError(f"it holds {header.get('kind')}")
        if header.get("fingerprint") != Learners.fingerprint():
            raise MalformedError("made by other code; the lessons are folded instead")
        if not agrees(header["revision"], header["lesson_digest"]):
            raise MalformedError("its last lesson is not on this log")
        learners = pickle.loads(pickled)
        if not isinstance(learners, Learners) or (learners.revision, learners.digest) != (
            header["revision"],
            header["digest"],
        ):
            raise MalformedError("its content is not what its header says")
        if learners.content_digest() != header.get("content"):
            raise MalformedError("what it holds was not learned from these lessons")
        return learners


def _pickle(learners: Learners, writer: SealedWriter) -> None:
    # A pickle makes so many short-lived objects that the collector would search the whole heap
    # again and again, a fifth of a second each time, while every other thread waits.
    collecting = gc.isenabled()
    gc.disable()
    try:
        pickle.Pickler(writer, protocol=5).dump(learners)
    finally:
        if collecting:
            gc.enable()
