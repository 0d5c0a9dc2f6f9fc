"""Lands one range of positions in the tables, each table in one insert, at most once."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.clickhouse import Warehouse
from sinks.projection import Rows


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of one partition whose records become rows together.

    Args:
        topic: Where the records stand.
        partition: Of the topic.
        start: Offset of the first record.
        end: Offset after the last record.
        digest: Of the records' content; equal content, equal digest.
    """

    topic: str
    partition: int
    start: int
    end: int
    digest: str

    def token(self, table: str, row_count: int) -> str:
        """Name the insert of this range into one table."""
        return (
            f"{self.topic}/{self.partition}/{self.start}-{self.end}/{row_count}/{self.digest}/"
            f"{table}"
        )


class Sink:
    """Writes rows to a warehouse whose migrations are applied.

    Args:
        warehouse: Where the tables are.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def probe(self) -> None:
        """Ask the warehouse for a sign of life.

        Raises:
            UnavailableError: It cannot serve now.
        """
        self._warehouse.execute("SELECT 1")

    def write(self, source: Range, rows: Rows) -> dict[str, int]:
        """Insert the rows of a range and return how many went to each table.

        After an error write the same range with the same rows again: tables that had taken
        theirs drop the repeat by its token.

        Raises:
            UnavailableError: The warehouse cannot serve now: write the range again later.
            IncompatibleError: The tables refuse the rows: halt, acknowledge nothing.
            MisconfiguredError: The user, the password or the database is wrong.
        """
        row_count = rows.row_count
        return {
            table: self._warehouse.insert(table, columns, source.token(table, row_count))
            for table, columns in rows.tables()
        }
