r"""Files that are believed only once their seal is checked: a header, a payload, one seal.

::

    riverdesk-checkpoint-1\n    what the file is
    32 bytes                    the seal over everything after it
    4 bytes                     length of the header, big-endian
    header                      JSON: "kind" and what the kind needs
    payload                     to the end of the file

The seal is HMAC-SHA-256 where a key is set; without one it is SHA-256, which finds damage but not
a forger.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from pickle import PickleBuffer
from typing import Any, BinaryIO, Protocol

from schemas.codec import decode_json, encode
from schemas.errors import MalformedError

MAGIC = b"riverdesk-checkpoint-1\n"
SEAL_BYTES = 32
LENGTH_BYTES = 4
MAX_HEADER_BYTES = 1024 * 1024


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...

    def digest(self) -> bytes: ...


def _make_hash(key: bytes | None) -> _Hash:
    return hashlib.sha256() if key is None else hmac.new(key, digestmod="sha256")


class SealedWriter:
    """Writes one sealed file; a :meth:`write` lets other threads run.

    Args:
        file: New and empty, opened for writing bytes.
        key: Of the seal.
        header: JSON types.
    """

    def __init__(self, file: BinaryIO, key: bytes | None, header: Mapping[str, Any]) -> None:
        self._file = file
        self._hash = _make_hash(key)
        file.write(MAGIC + bytes(SEAL_BYTES))
        raw = encode(header)
        self.write(len(raw).to_bytes(LENGTH_BYTES, "big") + raw)

    def write(self, data: bytes | PickleBuffer) -> int:
        """Add to the payload; the signature is that of a file, for :class:`pickle.Pickler`."""
        view = data.raw() if isinstance(data, PickleBuffer) else memoryview(data)
        self._hash.update(view)
        self._file.write(view)
        return view.nbytes

    def finish(self) -> None:
        """Write the seal and have everything on the disk.

        Raises:
            OSError: it is not; remove the file.
        """
        self._file.seek(len(MAGIC))
        self._file.write(self._hash.digest())
        self._file.flush()
        os.fsync(self._file.fileno())


class SealedReader:
    """Reads one sealed file from its beginning to its end.

    Nothing that it gave may be believed before :meth:`check` has returned.

    Args:
        file: Opened for reading bytes.
        key: Of the seal.

    Raises:
        MalformedError: not such a file.
    """

    def __init__(self, file: BinaryIO, key: bytes | None) -> None:
        self._file = file
        self._hash = _make_hash(key)
        if file.read(len(MAGIC)) != MAGIC:
            raise MalformedError("it is no checkpoint of this format")
        self._seal = file.read(SEAL_BYTES)
        length = int.from_bytes(self.take(LENGTH_BYTES), "big")
        if length > MAX_HEADER_BYTES:
            raise MalformedError("its header is too long")
        header = decode_json(self.take(length))
        if not isinstance(header, dict):
            raise MalformedError("its header is no object")
        self.header: dict[str, Any] = header

    def take(self, count: int) -> bytes:
        """Give exactly ``count`` bytes of what follows.

        Raises:
            MalformedError: the file ends before.
        """
        data = self._file.read(count)
        if len(data) != count:
            raise MalformedError("it is cut off")
        self._hash.update(data)
        return data

    def take_rest(self) -> bytes:
        """Give everything up to the end of the file."""
        data = self._file.read()
        self._hash.update(data)
        return data

    def check(self) -> None:
        """Return if the whole file was read and is what was sealed with our key.

        Raises:
            MalformedError: it is not; believe nothing of it.
        """
        if self._file.read(1):
            raise MalformedError("it is longer than it says")
        if not hmac.compare_digest(self._seal, self._hash.digest()):
            raise MalformedError("the seal does not match")
