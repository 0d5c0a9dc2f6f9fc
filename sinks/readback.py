"""Reads the tables back as they were written: to compare them with the log, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from sinks.clickhouse import Warehouse
from sinks.queries import counts, physical
from sinks.tables import Table

Columns = dict[str, Sequence[Any]]
_WITHIN: Final = ("effect_index", "journal_offset")
"""What tells rows of one position apart, where a table has it."""


class Readback(Protocol):
    """What a comparison asks of the tables."""

    def columns(self, table: Table, partition: int, start: int, end: int) -> Columns:
        """Give the rows of one partition with ``start <= position < end``, in order."""
        ...

    def row_counts(self) -> dict[str, int]:
        """Count the rows of each table as readers with FINAL see them."""
        ...

    def physical_counts(self) -> dict[str, int]:
        """Count the rows of each table as they lie there."""
        ...


def sorting_key(table: Table) -> tuple[str, ...]:
    """Name the columns that tell a table's rows apart: partition, position, place within it."""
    return (*table.columns[:2], *(name for name in _WITHIN if name in table.columns))


class WarehouseReadback:
    """Reads a warehouse; times come back as the milliseconds that were written.

    Args:
        warehouse: Whose migrations are applied.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._selections: dict[str, str] = {}

    def columns(self, table: Table, partition: int, start: int, end: int) -> Columns:
        """Give the rows of one partition with ``start <= position < end``, in order.

        Raises:
            UnavailableError: ClickHouse cannot serve now, or a merge has just removed a file.
            IncompatibleError: The table lacks a column.
        """
        partition_column, position_column = table.columns[:2]
        return self._warehouse.columns(
            f"SELECT {self._selection(table)} FROM {table.name} FINAL "
            f"WHERE {partition_column} = %(partition)s "
            f"AND {position_column} >= %(start)s AND {position_column} < %(end)s "
            f"ORDER BY {', '.join(sorting_key(table))}",
            {"partition": partition, "start": start, "end": end},
        )

    def row_counts(self) -> dict[str, int]:
        """Count the rows of each table as readers with FINAL see them."""
        return counts(self._warehouse)

    def physical_counts(self) -> dict[str, int]:
        """Count the rows of each table as they lie there."""
        return physical(self._warehouse)

    def _selection(self, table: Table) -> str:
        if table.name not in self._selections:
            types = dict(row[:2] for row in self._warehouse.execute(f"DESCRIBE TABLE {table.name}"))
            self._selections[table.name] = ", ".join(
                f"toUnixTimestamp64Milli({table.name}.{name}) AS {name}"
                if "DateTime64" in types.get(name, "")
                else name
                for name in table.columns
            )
        return self._selections[table.name]
