"""One client's conversation: hello, pings, queries and the data of inserts."""

from __future__ import annotations

import os
import select
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final

from sinks.embedded import packets
from sinks.embedded.blocks import columns_of_block, take_block
from sinks.embedded.engine import EngineError, EngineSession, quote_text
from sinks.embedded.frames import pack_frames, take_frame
from sinks.embedded.layouts import UnknownLayoutError, layout_of
from sinks.embedded.packets import ClientPacket
from sinks.embedded.statements import Insert, insert_of, is_selection, without_format
from sinks.embedded.wire import ProtocolError, WireReader

_CHUNK_BYTES: Final = 1 << 20
_USER: Final = "default"
_AUTHENTICATION_FAILED: Final = 516
_NOT_IMPLEMENTED: Final = 48


class Conversation:
    """Serves one client on one socket until it goes or says what cannot be understood.

    Args:
        client: The connected socket.
        data_dir: The engine's directory.
        version: The engine's version, told in the hello.
    """

    def __init__(
        self, client: socket.socket, data_dir: Path, version: tuple[int, int, int]
    ) -> None:
        self._client = client
        self._reader = WireReader(lambda: client.recv(_CHUNK_BYTES))
        self._data_dir = data_dir
        self._version = version
        self._compressed = False

    def run(self) -> None:
        """Serve until the client goes.

        Raises:
            ProtocolError: The client sent bytes that are no packet.
            OSError: The connection broke.
        """
        if self._next_packet() is not ClientPacket.HELLO:
            raise ProtocolError("the first packet is not a hello")
        hello = packets.take_hello(self._reader)
        if (hello.user or _USER) != _USER or hello.password:
            refusal = f"{hello.user}: Authentication failed: only {_USER!r} without a password"
            self._client.sendall(packets.pack_exception(_AUTHENTICATION_FAILED, refusal))
            return
        session = EngineSession(self._data_dir)
        try:
            if hello.database:
                session.use(hello.database)
            self._client.sendall(packets.pack_hello(self._version, "riverdesk-embedded", "UTC"))
            self._serve(session)
        except EngineError as error:
            self._client.sendall(packets.pack_exception(error.code, error.message))
        finally:
            session.close()

    def _serve(self, session: EngineSession) -> None:
        while (packet := self._next_packet()) is not None:
            match packet:
                case ClientPacket.PING:
                    self._client.sendall(packets.PONG)
                case ClientPacket.QUERY:
                    self._answer(session, packets.take_query(self._reader))
                case ClientPacket.CANCEL:
                    pass  # the query ended before the client's word arrived
                case _:
                    raise ProtocolError(f"a {packet.name} packet is not expected now")

    def _next_packet(self) -> ClientPacket | None:
        """Return the kind of the next packet, or None when the client has gone."""
        self._reader.forget()
        try:
            return ClientPacket(self._reader.varint())
        except EOFError:
            return None
        except ValueError as error:
            raise ProtocolError(f"unknown packet: {error}") from error

    def _answer(self, session: EngineSession, query: packets.Query) -> None:
        """Run one query; what the engine refuses goes back as an exception packet."""
        self._compressed = query.compressed
        try:
            table_count = sum(1 for _ in self._blocks())  # external tables end with an empty block
            if table_count:
                raise EngineError(_NOT_IMPLEMENTED, "external tables are not served here")
            session.apply(query.settings, query.important)
            insert = insert_of(query.text)
            if insert is None:
                self._send_result(session, query.text)
            else:
                self._take_insert(session, insert)
        except EngineError as error:
            self._client.sendall(packets.pack_exception(error.code, error.message))
        except UnknownLayoutError as error:
            self._client.sendall(packets.pack_exception(_NOT_IMPLEMENTED, str(error)))
        else:
            self._client.sendall(packets.END_OF_STREAM)

    def _send_result(self, session: EngineSession, text: str) -> None:
        """Send a statement's output: its columns first, then its blocks."""
        statement = without_format(text)
        result = session.stream(statement)
        is_first = True
        try:
            for block in result:
                if is_first:
                    self._send_block(packets.pack_sample(columns_of_block(block)))
                    is_first = False
                self._send_block(block)
                if self._has_cancelled():
                    return
        finally:
            result.close()
        if is_first and is_selection(statement):
            self._send_block(packets.pack_sample(session.columns_of(statement)))

    def _take_insert(self, session: EngineSession, insert: Insert) -> None:
        """Receive all blocks of an insert, then run it as one statement.

        The engine reports constraint and view failures only for inserts from a file.
        """
        columns = session.columns_of(insert.sample)
        for _, type_name in columns:
            layout_of(type_name)  # refused now, while the client can still be told
        self._send_block(packets.pack_sample(columns))
        with _nameable_file() as (file, path):
            row_count = 0
            for block_row_count, body in self._blocks():
                file.write(body)
                row_count += block_row_count
            file.flush()
            if row_count:
                session.execute(insert.from_file(quote_text(path)))

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield counts of rows and bodies of the data packets up to the empty one."""
        reader = self._reader
        if self._compressed:
            reader = WireReader(partial(take_frame, self._reader))
        while True:
            if (packet := self._next_packet()) is None:
                raise EOFError("the client went away inside its data")
            if packet is not ClientPacket.DATA:
                raise ProtocolError(f"a {packet.name} packet where data was expected")
            self._reader.text()  # the name of an external table
            try:
                row_count, body = take_block(reader)
            except UnknownLayoutError as error:  # where the next packet starts is lost
                raise ProtocolError(str(error)) from error
            if reader.pending_byte_count and self._compressed:
                raise ProtocolError("a compressed block has bytes left over")
            if not row_count:
                return
            yield row_count, body

    def _send_block(self, body: bytes) -> None:
        block = packets.pack_block(body)
        self._client.sendall(
            packets.data_head() + (pack_frames(block) if self._compressed else block)
        )

    def _has_cancelled(self) -> bool:
        """Look, without waiting, whether the client wants no more of the result."""
        if not self._reader.pending_byte_count:
            if not select.select([self._client], [], [], 0)[0]:
                return False
            self._reader.forget()
        return self._next_packet() is ClientPacket.CANCEL


@contextmanager
def _nameable_file() -> Iterator[tuple[IO[bytes], str]]:
    """Yield an empty file and the path under which the engine can read it."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("insert"), "wb") as file:
            yield file, f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile(suffix=".native") as file:
            yield file, file.name
