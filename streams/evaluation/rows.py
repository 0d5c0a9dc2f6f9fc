"""The rows of the files that are evaluated."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from schemas.errors import RejectedError
from streams.simulator.filerows import (
    TicketRow,
    TransactionRow,
    ticket_rows,
    transaction_rows,
    transactions_in_order,
)

TRAINED = frozenset({None, "train"})
TESTED = frozenset({"test"})


@dataclass(frozen=True, slots=True)
class TicketFile:
    """The rows of a file, by what becomes of them.

    Args:
        stream: Without a split, or ``train``.
        test: ``test``.
        left_out: Rows of any other split.
    """

    stream: list[TicketRow]
    test: list[TicketRow]
    left_out: int


class Span(NamedTuple):
    """A file's first and last time, in seconds, and how many rows it has."""

    first_ts: int
    last_ts: int
    rows: int


def read_tickets(path: Path) -> TicketFile:
    """Read a file of tickets; one with a test part alone is streamed as if it had none.

    Raises:
        RejectedError: it has no rows, or one is not as described; names line and field.
    """
    rows = list(ticket_rows(path))
    stream = [row for row in rows if row.split in TRAINED]
    test = [row for row in rows if row.split in TESTED]
    if not stream:
        stream, test = test, []
    if not stream:
        raise RejectedError(f"{path.name}: no rows to learn from")
    return TicketFile(stream, test, len(rows) - len(stream) - len(test))


def span_of(path: Path) -> Span:
    """Look through a file of transactions for its first and last time.

    Raises:
        RejectedError: it has no rows, or one is not as described; names line and field.
    """
    first, last, count = 0, 0, 0
    for count, (_, row) in enumerate(transaction_rows(path, 0), 1):
        first = row.ts if count == 1 else min(first, row.ts)
        last = max(last, row.ts)
    if not count:
        raise RejectedError(f"{path.name}: no rows to learn from")
    return Span(first, last, count)


def read_transactions(path: Path, until_s: int) -> Iterator[TransactionRow]:
    """Read a file of transactions in order of time, up to ``until_s``."""
    return transactions_in_order(path, 0, until_s)
