"""Checkpoints of a partition's store, from which any worker on any machine can begin.

Layout: ``<checkpoint directory>/partitions/<number>/<journal_next>-<digest>-<kind>.ckpt``, sealed
files (:mod:`streams.desk.sealed`). The header holds ``kind`` ``state``, ``partition``, ``format``
(of the store), ``core`` (version of the code that folded), ``journal_next`` and ``last_digest``
(of the journal record before it, to be compared with the log) and ``files``, a list of name and
size; the payload is these files' contents, one after the other: those of a RocksDB checkpoint.
Nothing in them is code.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from models.version import CORE_VERSION
from schemas.errors import MalformedError
from streams.desk.position import FoldPosition
from streams.desk.sealed import SealedReader, SealedWriter
from streams.desk.shelf import Shelf
from streams.desk.store import FORMAT

CHUNK_BYTES = 1024 * 1024
FILE_NAME = re.compile(
    r"CURRENT|(?:MANIFEST|OPTIONS)-\d{1,20}|\d{1,20}\.(?:sst|log|blob)|rocksdict-config\.json"
)
"""The files of a store, and the only names that are ever written when one is restored."""


class Stand(NamedTuple):
    """Where a checkpoint stands on the journal."""

    journal_next: int
    last_digest: str


class StateCheckpoints:
    """The checkpoints of all partitions.

    Args:
        directory: Of all checkpoints; made if missing; workers may share it.
        key: Key of the HMAC; without one a plain SHA-256 guards against damage only.
        kept: How many of each partition are kept, >= 1.
        worker: Who writes; unique among the workers that share the directory.
    """

    def __init__(self, directory: Path, key: bytes | None, kept: int, worker: str) -> None:
        self._directory = directory / "partitions"
        self._key = key
        self._kept = kept
        self._worker = worker
        self._tidied: set[int] = set()

    def tidy(self, partition: int) -> None:
        """Remove what a crash left half-written; once, since later it may be our own work.

        Raises:
            OSError: the directory cannot be written.
        """
        if partition not in self._tidied:
            self._tidied.add(partition)
            self.shelf(partition).tidy()

    def shelf(self, partition: int) -> Shelf:
        """Give the shelf of a partition."""
        return Shelf(self._directory / str(partition), self._worker, self._kept)

    def save(
        self,
        partition: int,
        snapshot: Path,
        position: FoldPosition,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Path:
        """Write a checkpoint, from any thread.

        Args:
            partition: Whose state it is.
            snapshot: Files of a RocksDB checkpoint, which nobody changes.
            position: Where the fold stands in it.
            wanted: Asked all the time; once it is not, the checkpoint is given up.

        Raises:
            InterruptedError: it was given up.
            OSError: the directory is full or cannot be written; try again later.
        """
        files = sorted(path for path in snapshot.iterdir() if FILE_NAME.fullmatch(path.name))
        sizes = [path.stat().st_size for path in files]
        header = {
            "kind": "state",
            "partition": partition,
            "format": FORMAT,
            "core": CORE_VERSION,
            "journal_next": position.journal_next,
            "last_digest": position.last_digest,
            "files": [[path.name, size] for path, size in zip(files, sizes, strict=True)],
        }

        def fill(file: BinaryIO) -> None:
            writer = SealedWriter(file, self._key, header)
            for path in files:
                with path.open("rb") as source:
                    while chunk := source.read(CHUNK_BYTES):
                        if not wanted():
                            raise InterruptedError("given up: the worker stops")
                        writer.write(chunk)
            writer.finish()

        return self.shelf(partition).put(
            position.journal_next,
            position.last_digest,
            f"{FORMAT}.{CORE_VERSION}",
            fill,
            sum(sizes),
        )

    def unpack(
        self, partition: int, path: Path, into: Path, wanted: Callable[[], bool]
    ) -> Stand | None:
        """Write a checkpoint's files into a new directory, verified; ``None`` if unwanted by now.

        Args:
            partition: Whose state it must be.
            path: The checkpoint.
            into: Must not exist; removed again unless all is well.
            wanted: Asked all the time.

        Raises:
            MalformedError: damaged, sealed with another key, or not of this partition, format
                and core version; try the next older one.
            OSError: it cannot be read, or the files cannot be written.
        """
        into.mkdir(parents=True)
        whole = False
        try:
            with path.open("rb") as file:
                reader = SealedReader(file, self._key)
                files = self._check_header(reader.header, partition)
                for name, size in files:
                    if not _copy(reader, into / name, size, wanted):
                        return None
                reader.check()
            whole = True
        finally:
            if not whole:
                shutil.rmtree(into, ignore_errors=True)
        return Stand(reader.header["journal_next"], reader.header["last_digest"])

    @staticmethod
    def _check_header(header: Mapping[str, Any], partition: int) -> list[tuple[str, int]]:
        """Refuse what is of no use; the seal is not checked yet, so no value may do harm."""
        expected = {
            "kind": "state",
            "partition": partition,
            "format": FORMAT,
            "core": CORE_VERSION,
        }
        for name, value in expected.items():
            if header.get(name) != value:
                raise MalformedError(f"its {name} is {header.get(name)!r}, not {value!r}")
        with suppress(TypeError, ValueError, KeyError):
            files = [(str(name), int(size)) for name, size in header["files"]]
            if len({name for name, _ in files}) == len(files) and all(
                FILE_NAME.fullmatch(name) and size >= 0 for name, size in files
            ):
                return files
        raise MalformedError("its list of files is not that of a store")


def _copy(reader: SealedReader, path: Path, size: int, wanted: Callable[[], bool]) -> bool:
    with path.open("xb") as file:
        while size > 0:
            if not wanted():
                return False
            chunk = reader.take(min(size, CHUNK_BYTES))
            file.write(chunk)
            size -= len(chunk)
    return True
