"""Bytes of the native protocol: varints, strings and a reader that looks ahead."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

MAX_BUFFER_BYTES: Final = 1 << 30
"""The most that one packet may make the server hold."""

MAX_TEXT_BYTES: Final = 64 << 20
"""The longest name, setting or query text accepted."""

_U64 = struct.Struct("<Q")


class ProtocolError(Exception):
    """The client sent bytes that are not the native protocol; its connection has to end."""


def pack_varint(value: int) -> bytes:
    """Encode a whole number in [0, 2^64) as unsigned LEB128."""
    if not 0 <= value < 1 << 64:
        raise ValueError(f"a varint holds 0 to 2^64 - 1, not {value}")
    packed = bytearray()
    while value > 0x7F:
        packed.append(0x80 | (value & 0x7F))
        value >>= 7
    packed.append(value)
    return bytes(packed)


def pack_text(text: str) -> bytes:
    """Encode a string as its length in bytes followed by UTF-8."""
    body = text.encode("utf-8", "surrogateescape")
    return pack_varint(len(body)) + body


class WireReader:
    """Reads values from a stream that arrives in chunks.

    `buffer` and `position` are open to readers that skip many values in a tight loop
    (`blocks.py`); they may move `position` past the end and then call `fill`.

    Args:
        more: Returns the next chunk, or `b""` at the end of the stream.
    """

    __slots__ = ("_more", "buffer", "position")

    def __init__(self, more: Callable[[], bytes]) -> None:
        self._more = more
        self.buffer = bytearray()
        self.position = 0

    def fill(self, byte_count: int) -> None:
        """Make sure that `byte_count` bytes from `position` on are in `buffer`.

        Raises:
            ProtocolError: More than `MAX_BUFFER_BYTES` would have to be held.
            EOFError: The stream ended before.
        """
        wanted = self.position + byte_count
        if wanted > MAX_BUFFER_BYTES:
            raise ProtocolError(f"a packet announces more than {MAX_BUFFER_BYTES} bytes")
        while len(self.buffer) < wanted:
            chunk = self._more()
            if not chunk:
                raise EOFError("the client closed the connection")
            self.buffer += chunk

    def take(self, byte_count: int) -> bytes:
        """Return the next `byte_count` bytes."""
        self.fill(byte_count)
        start = self.position
        self.position += byte_count
        return bytes(self.buffer[start : self.position])

    def skip(self, byte_count: int) -> None:
        """Pass over `byte_count` bytes, which stay in `buffer` until `forget`."""
        self.fill(byte_count)
        self.position += byte_count

    def byte(self) -> int:
        """Return the next byte."""
        self.fill(1)
        value = self.buffer[self.position]
        self.position += 1
        return value

    def u64(self) -> int:
        """Return the next little-endian 64-bit whole number."""
        value: int = _U64.unpack(self.take(8))[0]
        return value

    def varint(self) -> int:
        """Return the next unsigned LEB128 number.

        Raises:
            ProtocolError: It is longer than 64 bits.
        """
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >= 1 << 64:
                    break
                return value
        raise ProtocolError("a varint is longer than 64 bits")

    def text(self) -> str:
        """Return the next length-prefixed string; bytes that are not UTF-8 are kept as surrogates.

        Raises:
            ProtocolError: It is longer than `MAX_TEXT_BYTES`.
        """
        size_bytes = self.varint()
        if size_bytes > MAX_TEXT_BYTES:
            raise ProtocolError(f"a string of {size_bytes} bytes is too long here")
        return self.take(size_bytes).decode("utf-8", "surrogateescape")

    def forget(self) -> None:
        """Drop the bytes already read, so that the buffer does not grow without end."""
        del self.buffer[: self.position]
        self.position = 0

    @property
    def pending_byte_count(self) -> int:
        """How many bytes have arrived and not been read."""
        return len(self.buffer) - self.position
