"""A directory of checkpoints that several workers and machines may share.

``<offset, 20 digits>-<digest>-<kind>.ckpt`` is whole; ``….ckpt@<worker>.part`` is being written.
A name only says in which order to try: what counts is sealed inside.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import structlog

log = structlog.get_logger(__name__)

ENDING = ".ckpt"
PART = ".part"
ABANDONED_S = 86_400.0
"""A part of another worker that has not grown for so long is a leftover, too."""

SPARE_BYTES = 64 * 1024 * 1024
"""Left free on the disk: the stores may lie on the same one."""


class Shelf:
    """Checkpoints of one thing, the newest few of them kept.

    Args:
        directory: Made when the first checkpoint is put there.
        worker: Who writes; unique among the workers that share the directory.
        kept: How many of a kind are kept, >= 1; and as many of all other kinds together, which
            workers of another version may still need.
    """

    def __init__(self, directory: Path, worker: str, kept: int) -> None:
        self.directory = directory
        self._worker = worker
        self._kept = kept

    def paths(self) -> list[Path]:
        """Give the checkpoints, greatest offset first; none where there is no directory."""
        return sorted(self.directory.glob(f"*{ENDING}"), reverse=True)

    def age_s(self) -> float | None:
        """Give the seconds since the latest checkpoint was written; ``None`` without one."""
        written = [at for path in self.paths() if (at := _written_at(path)) is not None]
        return max(0.0, time.time() - max(written)) if written else None

    def put(
        self,
        offset: int,
        digest: str,
        kind: str,
        fill: Callable[[BinaryIO], None],
        size_bytes: int = 0,
    ) -> Path:
        """Write a checkpoint; it is there whole or not at all. Older ones go.

        Args:
            offset: Where the fold stands.
            digest: What tells it from others at this offset.
            kind: Checkpoints of another kind are of no use to whoever writes this one.
            fill: Writes the file and has it on the disk.
            size_bytes: About how long it will be.

        Raises:
            OSError: the directory is full or cannot be written; nothing is left behind.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.directory).free < size_bytes + SPARE_BYTES:
            raise OSError(errno.ENOSPC, f"no space for {size_bytes} bytes", str(self.directory))
        path = self.directory / f"{offset:020d}-{digest}-{kind}{ENDING}"
        part = path.with_name(f"{path.name}@{self._worker}{PART}")
        try:
            with part.open("wb") as file:
                fill(file)
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        _sync(self.directory)
        self._retain(path, kind)
        return path

    def tidy(self) -> None:
        """Remove what a crash of this worker left half-written, and what others abandoned.

        Raises:
            OSError: the directory cannot be written.
        """
        for part in self.directory.glob(f"*{ENDING}@*{PART}"):
            written_at = _written_at(part)
            own = part.name.partition("@")[2] == f"{self._worker}{PART}"
            if own or (written_at is not None and time.time() - written_at > ABANDONED_S):
                part.unlink(missing_ok=True)
                log.info("leftover_removed", path=part.name)

    def _retain(self, newest: Path, kind: str) -> None:
        """Keep those written last: offsets of another log's checkpoints may be greater."""
        room = {True: self._kept - 1, False: self._kept}
        others = [path for path in self.paths() if path != newest]
        for path in sorted(others, key=lambda path: -(_written_at(path) or 0.0)):
            same_kind = path.name.endswith(f"-{kind}{ENDING}")
            if room[same_kind] > 0:
                room[same_kind] -= 1
            else:
                path.unlink(missing_ok=True)


def _written_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another worker removed it just now
        return None


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
