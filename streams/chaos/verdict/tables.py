"""The warehouse's tables against the rows that the log gives, column by column."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from schemas.codec import decode_json
from schemas.registry import LESSONS as LESSONS_TOPIC
from sinks.projection import Rows
from sinks.readback import Columns, Readback, sorting_key
from sinks.tables import LESSONS, QUALITY, TABLES, Table
from streams.chaos.verdict.logs import Stood
from streams.chaos.verdict.verdict import Findings
from streams.warehouse import patiently

T = TypeVar("T")
CHUNK_RECORDS = 5_000
END = 1 << 62
"""Behind every position: the last chunk of a partition also finds what should not be there."""

JOURNAL_TABLES = tuple(table for table in TABLES if table not in (LESSONS, QUALITY))


class TableCheck:
    """Projects records as the archiver does and compares them, a chunk of positions at a time.

    Args:
        readback: The warehouse's tables.
        partition: Of the log that is followed.
        tables: Those that the log fills.
        findings: Where faults go.
    """

    def __init__(
        self,
        readback: Readback,
        partition: int,
        tables: Sequence[Table],
        findings: Findings,
    ) -> None:
        self._readback = readback
        self._partition = partition
        self._tables = tables
        self._findings = findings
        self._rows = Rows()
        self._count = 0
        self._start = 0

    def add_journal(self, record: Mapping[str, Any], stood: Stood) -> None:
        """Take the next accepted record of the journal; its number is its position."""
        self._make_room(record["number"])
        self._rows.add_journal(
            record, partition=self._partition, offset=stood.offset, appended_ms=stood.stamped_ms
        )

    def add_single(self, topic: str, stood: Stood) -> None:
        """Take the next record of the lessons or of the scorecards; its offset is its position."""
        self._make_room(stood.offset)
        content = decode_json(stood.value or b"")
        add = self._rows.add_lesson if topic == LESSONS_TOPIC.name else self._rows.add_quality
        add(content, partition=0, offset=stood.offset, appended_ms=stood.stamped_ms)

    def finish(self) -> None:
        """Compare what is left, to the end of the partition."""
        self._compare(END)

    def _make_room(self, position: int) -> None:
        if self._count == CHUNK_RECORDS:
            self._compare(position)
        self._count += 1

    def _compare(self, end: int) -> None:
        expected = dict(self._rows.tables())
        for table in self._tables:
            found = self._read(table, end)
            compare_columns(table, expected.get(table.name, {}), found, self._findings)
        self._rows, self._count, self._start = Rows(), 0, end

    def _read(self, table: Table, end: int) -> Columns:
        return patiently(lambda: self._readback.columns(table, self._partition, self._start, end))


def compare_columns(
    table: Table, expected: Mapping[str, Sequence[Any]], found: Columns, findings: Findings
) -> None:
    """Compare the rows of one stretch of one table."""
    where = f"warehouse.{table.name}"
    findings.compared[where] += len(next(iter(found.values()), ()))
    empty: Sequence[Any] = ()
    if all(
        list(found.get(name, empty)) == list(expected.get(name, empty)) for name in table.columns
    ):
        return
    wanted, there = _keyed(table, expected), _keyed(table, found)
    for key, rows in wanted.items():
        if key not in there:
            findings.add("lost", where, f"no row {_name(key)}")
        else:
            _compare_rows(table, key, rows[0], there[key][0], findings)
    for key, rows in there.items():
        surplus = len(rows) - (key in wanted)
        findings.add("duplicated", where, f"a row too many: {_name(key)}", surplus)
    if list(there) != [key for key in wanted if key in there] and set(there) <= set(wanted):
        findings.add("differing", where, f"rows from {_name(next(iter(there)))} on out of order")


def compare_counts(readback: Readback, findings: Findings) -> None:
    """Count what lies outside of every stretch compared, and rows that wait to be merged away."""
    seen = patiently(readback.row_counts)
    for name, count in seen.items():
        where = f"warehouse.{name}"
        outside = count - findings.compared[where]
        findings.add("duplicated", where, f"{outside} rows of partitions unknown", max(0, outside))
    for name, count in patiently(readback.physical_counts).items():
        repeated = max(0, count - seen.get(name, 0))
        findings.add("repeated", f"warehouse.{name}", f"{repeated} rows not yet merged", repeated)


def _compare_rows(
    table: Table,
    key: tuple[Any, ...],
    wanted: Sequence[Any],
    there: Sequence[Any],
    findings: Findings,
) -> None:
    differing = [
        f"{name} {left!r:.60} ≠ {right!r:.60}"
        for name, left, right in zip(table.columns, wanted, there, strict=True)
        if not _same(left, right)
    ]
    if differing:
        findings.add(
            "differing", f"warehouse.{table.name}", f"row {_name(key)}: {', '.join(differing)}"
        )


def _same(left: Any, right: Any) -> bool:
    """Compare two values; nan is the same as nan."""
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (left != left and right != right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[k], right[k]) for k in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _keyed(
    table: Table, columns: Mapping[str, Sequence[Any]]
) -> dict[tuple[Any, ...], list[Sequence[Any]]]:
    rows: dict[tuple[Any, ...], list[Sequence[Any]]] = defaultdict(list)
    if columns:
        places = [table.columns.index(name) for name in sorting_key(table)]
        for row in zip(*(columns[name] for name in table.columns), strict=True):
            rows[tuple(row[place] for place in places)].append(row)
    return rows


def _name(key: tuple[Any, ...]) -> str:
    return "/".join(map(str, key))
