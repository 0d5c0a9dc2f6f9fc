"""Lands one range of positions in the tables, each table in one insert, at most once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import structlog

from sinks.clickhouse import Warehouse
from sinks.projection import Rows

log = structlog.get_logger(__name__)


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

    def write(self, source: Range, rows: Rows, *, again: bool = False) -> dict[str, int]:
        """Insert the rows of a range and return how many went to each table.

        After an error write the same range with the same rows again: tables that had taken
        theirs drop the repeat by its token. ClickHouse notes a token before the rows are there for
        good: one that ended in between remembers the token and has no rows. So what is written
        ``again`` is counted, and inserted without regard to its token where rows are missing.

        Args:
            source: Names the range.
            rows: All its rows.
            again: It may have been written before, in whole or in part.

        Raises:
            UnavailableError: The warehouse cannot serve now: write the range again later.
            IncompatibleError: The tables refuse the rows: halt, acknowledge nothing.
            MisconfiguredError: The user, the password or the database is wrong.
        """
        row_count = rows.row_count
        written = {}
        for table, columns in rows.tables():
            token = source.token(table, row_count)
            written[table] = self._warehouse.insert(table, columns, token)
            if again and self._count(table, columns) < written[table]:
                log.warning("rows_were_missing", table=table, row_count=written[table])
                # A repeat of rows that are there after all is merged away by its position.
                self._warehouse.insert(table, columns, f"{token}/{uuid4()}")
        return written

    def _count(self, table: str, columns: Mapping[str, Sequence[Any]]) -> int:
        """Count the rows between the first and the last of these positions."""
        (partition_column, partitions), (position_column, positions) = list(columns.items())[:2]
        (found,) = self._warehouse.execute(
            f"SELECT count() FROM {table} FINAL WHERE {partition_column} = %(partition)s "
            f"AND {position_column} BETWEEN %(first)s AND %(last)s",
            {"partition": partitions[0], "first": min(positions), "last": max(positions)},
        )
        return int(found[0])
