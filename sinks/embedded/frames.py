"""Compressed frames: a checksum, a method, two sizes, and the bytes."""

from __future__ import annotations

import struct
from typing import Final

from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-untyped]  # has no stubs
from lz4 import block as lz4_block  # type: ignore[import-untyped]  # has no stubs

from sinks.embedded.wire import ProtocolError, WireReader

_NONE: Final = 0x02
_LZ4: Final = 0x82
_HEADER: Final = struct.Struct("<BII")
_MAX_FRAME_BYTES: Final = 1 << 28
_CHUNK_BYTES: Final = 1 << 20
_LOW64: Final = (1 << 64) - 1


def _checksum(body: bytes) -> bytes:
    value: int = CityHash128(body)
    return struct.pack("<QQ", value >> 64, value & _LOW64)


def pack_frames(body: bytes) -> bytes:
    """Compress bytes with LZ4 into as many frames as they need."""
    packed = bytearray()
    for start in range(0, len(body), _CHUNK_BYTES):
        chunk = body[start : start + _CHUNK_BYTES]
        compressed = lz4_block.compress(chunk, store_size=False)
        frame = _HEADER.pack(_LZ4, _HEADER.size + len(compressed), len(chunk)) + compressed
        packed += _checksum(frame) + frame
    return bytes(packed)


def take_frame(reader: WireReader) -> bytes:
    """Read one frame and return what was compressed in it.

    Raises:
        ProtocolError: Checksum, method or sizes are wrong.
    """
    reader.forget()
    checksum = reader.take(16)
    header = reader.take(_HEADER.size)
    method, frame_bytes, plain_bytes = _HEADER.unpack(header)
    if method not in (_NONE, _LZ4):
        raise ProtocolError(f"compression method {method:#x} is not served here: use lz4")
    if not _HEADER.size <= frame_bytes <= _MAX_FRAME_BYTES or plain_bytes > _MAX_FRAME_BYTES:
        raise ProtocolError(f"a frame of {frame_bytes} bytes for {plain_bytes}")
    compressed = reader.take(frame_bytes - _HEADER.size)
    if _checksum(header + compressed) != checksum:
        raise ProtocolError("a frame's checksum does not match")
    if method == _NONE:
        return compressed
    try:
        plain: bytes = lz4_block.decompress(compressed, uncompressed_size=plain_bytes)
    except (lz4_block.LZ4BlockError, ValueError, MemoryError) as error:
        raise ProtocolError(f"a frame does not decompress: {error}") from error
    return plain
