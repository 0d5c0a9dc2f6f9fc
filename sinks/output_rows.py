"""Rows of what the desk gave out: alerts, priorities, questions, dead letters, lessons, quality."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from schemas.base import milliseconds
from sinks.decision_rows import Record, Row, chances_of, numbers_of, reasons_of
from sinks.tables import (
    ALERT_FIELDS,
    CHANGE_FIELDS,
    LESSON_FIELDS,
    QUALITY_FIELDS,
    QUESTION_FIELDS,
)

MAX_MESSAGE_CHARS: Final = 500

_alert_fields = itemgetter(*ALERT_FIELDS.values())
_change_fields = itemgetter(*CHANGE_FIELDS.values())
_question_fields = itemgetter(*QUESTION_FIELDS.values())
_lesson_fields = itemgetter(*LESSON_FIELDS.values())
_quality_fields = itemgetter(*QUALITY_FIELDS.values())


def alert_row(head: Row, index: int, alert: Mapping[str, Any]) -> Row:
    """Give the row of an alert, the effect at `index` of its record."""
    evidence = alert["evidence"]
    return (
        *_effect_head(head, index),
        *_alert_fields(alert),
        *reasons_of(alert["reasons"]),
        [f"{each['topic']}/{each['partition']}/{each['offset']}" for each in evidence],
        [each["event_id"] for each in evidence],
    )


def priority_change_row(head: Row, index: int, change: Mapping[str, Any]) -> Row:
    """Give the row of a change of priority, the effect at `index` of its record."""
    until = change["override_until"]
    return (
        *_effect_head(head, index),
        *_change_fields(change),
        change.get("abstained", False),
        None if until is None else milliseconds(datetime.fromisoformat(until)),
        *reasons_of(change["reasons"]),
    )


def question_row(head: Row, index: int, question: Mapping[str, Any]) -> Row:
    """Give the row of a question, the effect at `index` of its record."""
    return (
        *_effect_head(head, index),
        *_question_fields(question),
        chances_of(question["categories"]),
    )


def _effect_head(head: Row, index: int) -> Row:
    """Give the values of `tables.EFFECT_HEAD`; tenant and customer stand in the effect itself."""
    partition, number, _tenant, _customer_id, *rest = head
    return (partition, number, index, *rest)


def dead_letter_row(head: Row, record: Record) -> Row:
    """Give the row of a refused record: where it stands and why, never its content."""
    source, error = record["source"], record["error"]
    return (
        head[0],
        head[1],
        source["topic"],
        source["partition"],
        source["offset"],
        *head[6:9],
        error["stage"],
        error["class"],
        error["message"][:MAX_MESSAGE_CHARS],
        record.get("bytes", 0),
    )


def lesson_row(lesson: Mapping[str, Any], partition: int, offset: int, appended_ms: int) -> Row:
    """Give the row of a lesson; its text stays on the topic."""
    label = lesson["label"]
    if isinstance(label, bool):
        label = "true" if label else "false"
    return (
        partition,
        offset,
        appended_ms,
        *_lesson_fields(lesson),
        lesson.get("asked", False),
        label,
        numbers_of(lesson["scores"]),
        numbers_of(lesson["features"]),
    )


def quality_row(figure: Mapping[str, Any], partition: int, offset: int, appended_ms: int) -> Row:
    """Give the row of a figure about a learner."""
    return (partition, offset, appended_ms, *_quality_fields(figure))
