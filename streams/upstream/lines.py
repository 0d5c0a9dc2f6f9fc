"""Lines of bytes from a file, plain or compressed, or from standard input."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from schemas.errors import MalformedError

MAX_LINE_BYTES = 2_000_000
STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end.

    Args:
        number: Counted from 1.
        raw: Its bytes; the first ``MAX_LINE_BYTES`` of a line that is longer.
        whole: Whether ``raw`` is the whole line.
    """

    number: int
    raw: bytes
    whole: bool = True


def lines(path: Path, on_read: Callable[[int], None] = lambda read_bytes: None) -> Iterator[Line]:
    """Give a file's lines one by one, without LF or CRLF at their ends.

    Args:
        path: A plain file, a ``.gz``, or ``-`` for standard input.
        on_read: Told after each line how many bytes of the file have been read; not for
            standard input.

    Raises:
        MalformedError: the file is not in gzip's format, or ends early.
        OSError: it cannot be read.
    """
    with ExitStack() as stack:
        if path == STANDARD_INPUT:
            yield from _split(sys.stdin.buffer)
            return
        file = stack.enter_context(path.open("rb"))
        source = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file
        try:
            for line in _split(source):
                yield line
                on_read(file.tell())
        except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
            raise MalformedError(f"{path} is damaged: {fault}") from fault


def _split(source: BinaryIO) -> Iterator[Line]:
    number = 0
    while raw := source.readline(MAX_LINE_BYTES + 2):
        number += 1
        whole = raw.endswith(b"\n") or len(raw) <= MAX_LINE_BYTES
        if not whole:
            _skip(source)
        text = raw.removesuffix(b"\n").removesuffix(b"\r")
        yield Line(number, text[:MAX_LINE_BYTES], whole and len(text) <= MAX_LINE_BYTES)


def _skip(source: BinaryIO) -> None:
    """Read to the end of a line."""
    while (rest := source.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass
