"""The packets of the native protocol at the one revision that the embedded server speaks."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sinks.embedded.wire import ProtocolError, WireReader, pack_text, pack_varint

REVISION: Final = 54440
"""The last revision at which a data packet's body equals the Native format."""

_OLDEST_REVISION: Final = 54429  # settings as strings
_MAX_SETTING_COUNT: Final = 2_000
_NO_BLOCK_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_IMPORTANT: Final = 0x01

END_OF_STREAM: Final = b"\x05"
PONG: Final = b"\x04"


class ClientPacket(IntEnum):
    """What a client may send."""

    HELLO = 0
    QUERY = 1
    DATA = 2
    CANCEL = 3
    PING = 4


@dataclass(frozen=True, slots=True)
class Hello:
    """A client's first words."""

    client: str
    revision: int
    database: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with the settings that hold for it alone."""

    text: str
    settings: dict[str, str]
    important: frozenset[str]
    compressed: bool


def take_hello(reader: WireReader) -> Hello:
    """Read the hello packet after its number.

    Raises:
        ProtocolError: The client is too old.
    """
    client = reader.text()
    reader.varint()  # major version
    reader.varint()  # minor version
    hello = Hello(client, reader.varint(), reader.text(), reader.text(), reader.text())
    if hello.revision < _OLDEST_REVISION:
        raise ProtocolError(f"protocol revision {hello.revision} is older than {_OLDEST_REVISION}")
    return hello


def take_query(reader: WireReader) -> Query:
    """Read the query packet after its number.

    Raises:
        ProtocolError: It is not a query packet of this revision.
    """
    reader.text()  # query id
    _skip_client_info(reader)
    settings: dict[str, str] = {}
    important: set[str] = set()
    while name := reader.text():
        flags = reader.varint()
        settings[name] = reader.text()
        if flags & _IMPORTANT:
            important.add(name)
        if len(settings) > _MAX_SETTING_COUNT:
            raise ProtocolError("too many settings")
    reader.varint()  # stage: always complete
    compressed = bool(reader.varint())
    return Query(reader.text(), settings, frozenset(important), compressed)


def _skip_client_info(reader: WireReader) -> None:
    """Pass over who the client says it is.

    Raises:
        ProtocolError: It did not come over TCP.
    """
    if reader.byte() == 0:  # no query
        return
    for _ in range(3):  # initial user, query id, address
        reader.text()
    if reader.byte() != 1:
        raise ProtocolError("the client is not a TCP client")
    for _ in range(3):  # operating system's user, host, client's name
        reader.text()
    for _ in range(3):  # major, minor, revision
        reader.varint()
    reader.text()  # quota key
    reader.varint()  # patch


def pack_hello(version: tuple[int, int, int], name: str, timezone: str) -> bytes:
    """Encode the server's answer to a hello."""
    major, minor, patch = version
    return b"".join(
        (
            b"\x00",
            pack_text("ClickHouse"),
            pack_varint(major),
            pack_varint(minor),
            pack_varint(REVISION),
            pack_text(timezone),
            pack_text(name),
            pack_varint(patch),
        )
    )


def pack_exception(code: int, message: str) -> bytes:
    """Encode a failure as the client's driver will raise it."""
    return b"".join(
        (
            b"\x02",
            struct.pack("<i", code),
            pack_text("DB::Exception"),
            pack_text(f"DB::Exception: {message}"),
            pack_text(""),  # stack trace
            b"\x00",  # nothing nested
        )
    )


def data_head() -> bytes:
    """The start of a data packet, before its (perhaps compressed) block."""
    return b"\x01" + pack_text("")


def pack_block(body: bytes) -> bytes:
    """Put the block info before a block of the Native format."""
    return _NO_BLOCK_INFO + body


def pack_sample(columns: list[tuple[str, str]]) -> bytes:
    """Encode a block without rows that tells the names and types of columns."""
    names = b"".join(pack_text(name) + pack_text(type_name) for name, type_name in columns)
    return pack_varint(len(columns)) + b"\x00" + names
