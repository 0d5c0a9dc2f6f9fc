"""From accepted records to columns of the tables; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from schemas.errors import IncompatibleError
from schemas.registry import ALERTS as ALERTS_TOPIC
from schemas.registry import PRIORITIES as PRIORITIES_TOPIC
from schemas.registry import QUESTIONS as QUESTIONS_TOPIC
from sinks import decision_rows, output_rows, tables
from sinks.tables import FILLED, NULLABLE, Table

Row = tuple[Any, ...]

_DECIDED: Final[Mapping[str, tuple[str, Callable[[Row, Mapping[str, Any]], Row]] | None]] = {
    "ticket": ("ticket_decisions", decision_rows.ticket_row),
    "transaction": ("transaction_decisions", decision_rows.transaction_row),
    "feedback": ("feedback_decisions", decision_rows.feedback_row),
    "tick": ("ticks", decision_rows.tick_row),
    "dead": ("dead_letters", output_rows.dead_letter_row),
    "policy": None,
    "duplicate": None,
}
"""Table and row of a record's decision by its kind, ``None`` where there is none."""

_GIVEN_OUT: Final[Mapping[str, tuple[str, Callable[[Row, int, Mapping[str, Any]], Row]]]] = {
    PRIORITIES_TOPIC.name: ("priority_changes", output_rows.priority_change_row),
    ALERTS_TOPIC.name: ("alerts", output_rows.alert_row),
    QUESTIONS_TOPIC.name: ("questions", output_rows.question_row),
}
"""Table and row of an effect by its topic; what goes elsewhere has no row here."""


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
        if kind not in _DECIDED:
            raise ValueError(f"unknown kind {kind!r}")
        head = decision_rows.head_of(record, partition, appended_ms)
        made = [("journal_entries", decision_rows.entry_row(head, record, offset))]
        if decided := _DECIDED[kind]:
            table, row_of = decided
            made.append((table, row_of(head, record)))
        for index, effect in enumerate(record.get("effects") or ()):
            if given_out := _GIVEN_OUT.get(effect["topic"]):
                table, effect_row = given_out
                made.append((table, effect_row(head, index, effect["value"])))
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
    """Turn rows into columns; where a column of texts cannot be NULL, nothing becomes ''."""
    return {
        name: list(values)
        if name in NULLABLE or name in FILLED
        else ["" if value is None else value for value in values]
        for name, values in zip(table.columns, zip(*rows, strict=True), strict=True)
    }
