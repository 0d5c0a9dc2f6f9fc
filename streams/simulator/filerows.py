"""Reads the rows of real files, one by one: JSON Lines, gzipped or plain."""

import gzip
import heapq
import math
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.base import MAX_AMOUNT_MINOR, MAX_TEXT_CHARS
from schemas.codec import decode_json
from schemas.errors import MalformedError, RejectedError

_TS: Final = re.compile(rb'"ts":\s*(\d+)\s*[,}]')
_MAX_TS_S: Final = 253_402_300_799
_MAX_ID_CHARS: Final = 120
LOOK_AHEAD_ROWS: Final = 10_000
"""Rows read ahead: they put a slightly unsorted file in order."""


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One text with its label."""

    id: str
    text: str
    label: str
    split: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class TransactionRow:
    """One transaction; ``ts`` is in seconds since the epoch, ``amount`` in euros."""

    id: str
    ts: int
    customer_id: str
    terminal_id: str
    amount: float
    is_fraud: bool
    scenario: str


def ticket_rows(path: Path) -> Iterator[TicketRow]:
    """Read ``id, text, label`` and perhaps ``split, lang``.

    Raises:
        RejectedError: a line is not as described; names file and line.
    """
    for number, line in _lines(path):
        row = _Fields(path, number, line)
        yield TicketRow(
            row.identifier("id"), row.text("text"), row.identifier("label"),
            row.optional("split"), row.optional("lang"),
        )  # fmt: skip


def transaction_rows(path: Path, from_s: int) -> Iterator[tuple[int, TransactionRow]]:
    """Read transactions from ``from_s`` on with their line numbers; earlier ones are skipped fast.

    Raises:
        RejectedError: a line is not as described; names file and line.
    """
    for number, line in _lines(path):
        found = _TS.search(line)
        if found is not None and int(found[1]) < from_s:
            continue
        row = _Fields(path, number, line)
        yield number, TransactionRow(
            row.identifier("id"), row.whole("ts", _MAX_TS_S), row.identifier("customer_id"),
            row.identifier("terminal_id"), row.amount("amount"), row.flag("is_fraud"),
            row.optional("scenario") or "unknown",
        )  # fmt: skip


def transactions_in_order(
    path: Path,
    from_s: int,
    until_s: int,
    met: Callable[[TransactionRow], None] = lambda row: None,
) -> Iterator[TransactionRow]:
    """Give the rows of a window in order of time, read ahead by a bounded number of rows.

    Args:
        path: About in order of ``ts``.
        from_s: Start of the window.
        until_s: Its end, exclusive.
        met: Is given each row when it is read, before its turn.

    Raises:
        RejectedError: a line is not as described, or far out of order; names file and line.
    """
    ahead: list[tuple[int, int, TransactionRow]] = []
    reached_s = 0
    for line, row in transaction_rows(path, from_s):
        if row.ts < reached_s:
            raise RejectedError(
                f"{path.name}, line {line}: ts {row.ts} is more than {LOOK_AHEAD_ROWS} lines late;"
                " sort the file by ts"
            )
        heapq.heappush(ahead, (row.ts, line, row))
        met(row)
        if len(ahead) > LOOK_AHEAD_ROWS:
            first = heapq.heappop(ahead)[2]
            reached_s = first.ts
            if reached_s >= until_s:
                return
            yield first
    while ahead and ahead[0][0] < until_s:
        yield heapq.heappop(ahead)[2]


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.isspace():
                    yield number, line
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise RejectedError(f"{path.name}, after line {number}: not gzip: {fault}") from None


class _Fields:
    """The fields of one line, checked one by one."""

    def __init__(self, path: Path, number: int, line: bytes) -> None:
        self._where = f"{path.name}, line {number}"
        try:
            fields = decode_json(line)
        except MalformedError as fault:
            raise RejectedError(f"{self._where}: {fault}") from None
        if not isinstance(fields, dict):
            raise RejectedError(f"{self._where}: not a JSON object")
        self._fields: dict[str, Any] = fields

    def _refused(self, name: str, wanted: str) -> RejectedError:
        value = self._fields.get(name, "nothing")
        return RejectedError(f"{self._where}: {name}: {wanted} wanted, found {value!r:.60}")

    def identifier(self, name: str) -> str:
        """Take a text or a whole number as an identifier."""
        value = self._fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and 0 < len(value) <= _MAX_ID_CHARS:
            return value
        raise self._refused(name, f"a number or 1 to {_MAX_ID_CHARS} characters")

    def optional(self, name: str) -> str | None:
        """Take a text that may be missing."""
        return None if self._fields.get(name) is None else self.identifier(name)

    def text(self, name: str) -> str:
        """Take a text that an event can carry."""
        value = self._fields.get(name)
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT_CHARS:
            return value
        raise self._refused(name, f"1 to {MAX_TEXT_CHARS} characters")

    def whole(self, name: str, most: int) -> int:
        """Take a whole number from 0 to ``most``."""
        value = self._fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        raise self._refused(name, f"a whole number from 0 to {most}")

    def amount(self, name: str) -> float:
        """Take an amount of money."""
        value = self._fields.get(name)
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and 0 <= value * 100 <= MAX_AMOUNT_MINOR
        ):
            return float(value)
        raise self._refused(name, "an amount of at least 0")

    def flag(self, name: str) -> bool:
        """Take true or false, or 1 or 0."""
        value = self._fields.get(name)
        if value in (0, 1):
            return bool(value)
        raise self._refused(name, "0 or 1")
