"""What the command line asks of the warehouse: counts, and whether they add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sinks.clickhouse import Warehouse
from sinks.tables import TABLES


def counts(warehouse: Warehouse) -> dict[str, int]:
    """Count the distinct positions in each table: repeats of a position count once."""
    return {
        table.name: int(warehouse.execute(f"SELECT count() FROM {table.name} FINAL")[0][0])
        for table in TABLES
    }


def physical(warehouse: Warehouse) -> dict[str, int]:
    """Count the rows in each table as they lie there, repeats not yet merged away included."""
    return {
        table.name: int(warehouse.execute(f"SELECT count() FROM {table.name}")[0][0])
        for table in TABLES
    }


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How the warehouse accounts for one partition of one input topic.

    Args:
        topic: The input topic.
        partition: Of the input topic.
        in_count: Distinct input positions that the journal answers.
        decided_count: Of these, decided.
        dead_count: Of these, refused.
        duplicate_count: Of these, repeats of an event.
        missing_count: Positions not answered: holes, and with a known end those before and after.
        doubled_count: Journal entries beyond one for a position.
        repeated_row_count: Rows beyond one for an entry; they collapse and do no harm.
        unlanded_count: Decided or dead positions without their row, or rows without position.
    """

    topic: str
    partition: int
    in_count: int
    decided_count: int
    dead_count: int
    duplicate_count: int
    missing_count: int
    doubled_count: int
    repeated_row_count: int
    unlanded_count: int

    @property
    def agrees(self) -> bool:
        """Whether in = decided + dead + duplicate, each position exactly once."""
        return (
            self.missing_count == self.doubled_count == self.unlanded_count == 0
            and self.in_count == self.decided_count + self.dead_count + self.duplicate_count
        )


def reconcile(
    warehouse: Warehouse, ends: Mapping[tuple[str, int], int] | None = None
) -> list[Reconciliation]:
    """Give the account of every partition of every input topic, by topic and partition.

    Args:
        warehouse: Whose tables are asked.
        ends: Offset after the last record by topic and partition, where the log starts at 0.
            With it, positions before the first and after the last one known here count as
            missing, and partitions without any row appear.
    """
    found = {
        (str(row[0]), int(row[1])): row
        for row in warehouse.execute(
            "SELECT topic, partition, in_count, decided_count, dead_count, duplicate_count, "
            "missing_count, doubled_count, repeated_row_count, "
            "abs(toInt64(landed_decided_count) - toInt64(decided_count)) "
            "+ abs(toInt64(landed_dead_count) - toInt64(dead_count)) FROM reconciliation"
        )
    }
    accounts: list[Reconciliation] = []
    for place in sorted(found.keys() | {place for place, end in (ends or {}).items() if end}):
        row = found.get(place, (*place, 0, 0, 0, 0, 0, 0, 0, 0))
        account = Reconciliation(*place, *(int(value) for value in row[2:]))
        if ends is not None and place in ends:
            missing_count = ends[place] - account.in_count
            account = replace(account, missing_count=missing_count)
        accounts.append(account)
    return accounts


def journal_gaps(warehouse: Warehouse) -> dict[int, int]:
    """Count the numbers missing before the last one, by partition of the journal."""
    return {
        int(partition): int(missing)
        for partition, missing in warehouse.execute(
            "SELECT journal_partition, missing_count FROM journal_continuity"
        )
    }
