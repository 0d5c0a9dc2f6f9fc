"""The machine's clock plus an offset that somebody else may change: clock jumps on purpose."""

import mmap
import struct
from pathlib import Path

from streams.role import now_ms

_OFFSET = struct.Struct("<q")


class SkewedClock:
    """A clock whose offset lies in a file shared with whoever makes it jump.

    Args:
        path: Written by :func:`skew` before.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), _OFFSET.size, prot=mmap.PROT_READ)

    def __call__(self) -> int:
        """Give milliseconds since the epoch, offset included."""
        (offset_ms,) = _OFFSET.unpack_from(self._shared)
        return now_ms() + int(offset_ms)


def skew(path: Path, offset_ms: int) -> None:
    """Set the offset; processes that have the file open see it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.write(_OFFSET.pack(offset_ms))
