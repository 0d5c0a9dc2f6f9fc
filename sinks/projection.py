"""From accepted records to columns of the tables; no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.errors import IncompatibleError
from schemas.registry import ALERTS as ALERTS_TOPIC
from schemas.registry import PRIORITIES as PRIORITIES_TOPIC
from schemas.registry import QUESTIONS as QUESTIONS_TOPIC
from sinks import decision_rows, output_rows, tables
from sinks.tables import NULLABLE, Table

Row = tuple[Any, ...]


class Rows:
    """The rows of one range of positions, collected record by record.

    Records have to be added in the order of the log: then equal ranges give equal rows.
    """

    __slots__ = ("_by_table",)

    def __init__(self) -> None:
        self._by_table: dict[str, list[Row]] = {table.name: [] for table in tables.TABLES}

    @property
    def row_count(self) -> int:
        """How many rows were collected, over all tables."""
        return sum(map(len, self._by_table.values()))

    def add_journal(
        self, record: Mapping[str, Any], *, partition: int, offset: int, appended_ms: int
    ) -> None:
        """Add an accepted record of the journal; a claim gives no row.

        Args:
            record: As schemas.journal.JournalRecord.
            partition: Of the journal.
            offset: Of the record in it.
            appended_ms: Kafka's timestamp of the record.

        Raises:
            IncompatibleError: The record lacks a part that its kind has.
        """
        if record["kind"] == "claim":
            return
        try:
            self._add_journal(record, partition, offset, appended_ms)
        except (KeyError, TypeError, ValueError) as fault:
            raise IncompatibleError(
                f"journal {partition}/{offset} ({record['kind']}) does not fit the tables: "
                f"{fault!r}"
            ) from fault

    def _add_journal(
        self, record: Mapping[str, Any], partition: int, offset: int, appended_ms: int
    ) -> None:
        kind = record["kind"]
        head = decision_rows.head_of(record, partition, appended_ms)
        made = [("journal_entries", decision_rows.entry_row(head, record, offset))]
        match kind:
            case "ticket":
                made.append(("ticket_decisions", decision_rows.ticket_row(head, record)))
            case "transaction":
                made.append(("transaction_decisions", decision_rows.transaction_row(head, record)))
            case "feedback":
                made.append(("feedback_decisions", decision_rows.feedback_row(head, record)))
            case "tick":
                made.append(("ticks", decision_rows.tick_row(head, record)))
            case "dead":
                made.append(("dead_letters", output_rows.dead_letter_row(head, record)))
            case "policy" | "duplicate":
                pass
            case _:
                raise ValueError(f"unknown kind {kind!r}")
        for index, effect in enumerate(record.get("effects") or ()):
            topic, value = effect["topic"], effect["value"]
            if topic == PRIORITIES_TOPIC.name:
                made.append(
                    ("priority_changes", output_rows.priority_change_row(head, index, value))
                )
            elif topic == ALERTS_TOPIC.name:
                made.append(("alerts", output_rows.alert_row(head, index, value)))
            elif topic == QUESTIONS_TOPIC.name:
                made.append(("questions", output_rows.question_row(head, index, value)))
        for table, row in made:  # only now, so that a refused record leaves nothing behind
            self._by_table[table].append(row)

    def add_lesson(
        self, lesson: Mapping[str, Any], *, partition: int, offset: int, appended_ms: int
    ) -> None:
        """Add a record of the lessons.

        Raises:
            IncompatibleError: It lacks a part of schemas.outputs.Lesson.
        """
        try:
            row = output_rows.lesson_row(lesson, partition, offset, appended_ms)
        except (KeyError, TypeError) as fault:
            raise IncompatibleError(
                f"lesson {partition}/{offset} does not fit the tables: {fault!r}"
            ) from fault
        self._by_table["lessons"].append(row)

    def add_quality(
        self, figure: Mapping[str, Any], *, partition: int, offset: int, appended_ms: int
    ) -> None:
        """Add a figure about a learner.

        Raises:
            IncompatibleError: It lacks a part of schemas.quality.Quality.
        """
        try:
            row = output_rows.quality_row(figure, partition, offset, appended_ms)
        except (KeyError, TypeError) as fault:
            raise IncompatibleError(
                f"quality {partition}/{offset} does not fit the tables: {fault!r}"
            ) from fault
        self._by_table["quality"].append(row)

    def tables(self) -> Iterator[tuple[str, dict[str, list[Any]]]]:
        """Yield name and columns of each table that has rows; fresh lists at each call."""
        for table in tables.TABLES:
            if rows := self._by_table[table.name]:
                yield table.name, _columns(table, rows)


def _columns(table: Table, rows: list[Row]) -> dict[str, list[Any]]:
    """Turn rows into columns; where a column cannot be NULL, nothing becomes ''."""
    columns: dict[str, list[Any]] = {}
    for name, values in zip(table.columns, zip(*rows, strict=True), strict=True):
        if name in NULLABLE or None not in values:
            columns[name] = list(values)
        else:
            columns[name] = ["" if value is None else value for value in values]
    return columns
