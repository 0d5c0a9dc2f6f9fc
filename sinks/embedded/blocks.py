"""Where a Native block ends: blocks carry no length, so their columns are walked by type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sinks.embedded.layouts import UnknownLayoutError, layout_of
from sinks.embedded.wire import ProtocolError, WireReader

MAX_COLUMN_COUNT: Final = 10_000


def take_block(reader: WireReader) -> tuple[int, bytes]:
    """Read one block and return its count of rows and its bytes, as the Native format has them.

    The block info (fields of distributed queries) is dropped. `(0, ...)` ends a stream of blocks.

    Raises:
        ProtocolError: It is no block, or holds a type whose length cannot be told.
        EOFError: The stream ended inside.
    """
    while field := reader.varint():
        if field not in (1, 2):
            raise ProtocolError(f"unknown field {field} in a block's info")
        reader.skip(1 if field == 1 else 4)
    return take_body(reader)


def take_body(reader: WireReader) -> tuple[int, bytes]:
    """Read one block of the Native format, which has no block info; else as `take_block`."""
    reader.forget()
    column_count, row_count = reader.varint(), reader.varint()
    if column_count > MAX_COLUMN_COUNT or (row_count and not column_count):
        raise ProtocolError(f"a block of {column_count} columns and {row_count} rows")
    for _ in range(column_count):
        _skip_column(reader, row_count)
    body = bytes(reader.buffer[: reader.position])
    reader.forget()
    return row_count, body


def split_blocks(output: bytes) -> Iterator[bytes]:
    """Cut the engine's output into its blocks.

    Raises:
        UnknownLayoutError: It is not of the Native format, or holds a type of unknown length.
    """
    with _engine_output():
        reader = _reader_of(output)
        reader.fill(len(output))
        while reader.pending_byte_count:
            yield take_body(reader)[1]


def columns_of_block(body: bytes) -> list[tuple[str, str]]:
    """Return names and types of the columns of a block from the engine.

    Raises:
        UnknownLayoutError: It is not of the Native format, or a column before the last has a type
            of unknown length.
    """
    columns: list[tuple[str, str]] = []
    with _engine_output():
        reader = _reader_of(body)
        column_count, row_count = reader.varint(), reader.varint()
        for number in range(column_count):
            start = reader.position
            columns.append((reader.text(), reader.text()))
            if number < column_count - 1:
                reader.position = start
                _skip_column(reader, row_count)
    return columns


@contextmanager
def _engine_output() -> Iterator[None]:
    """Tell faults of the engine's output from faults of the client's bytes."""
    try:
        yield
    except UnknownLayoutError:
        raise
    except (ProtocolError, EOFError) as error:
        raise UnknownLayoutError("output formats other than blocks are not served") from error


def _skip_column(reader: WireReader, row_count: int) -> None:
    reader.text()
    layout = layout_of(reader.text())
    if row_count:
        layout.skip_prefix(reader)
        layout.skip_values(reader, row_count)


def _reader_of(body: bytes) -> WireReader:
    chunks = iter((body,))
    return WireReader(lambda: next(chunks, b""))
