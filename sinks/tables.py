"""The tables and, in order, their columns; and which field of a record each column takes.

The SQL of the migrations says types and meaning. To add a column: the next migration, here, and
`docs/warehouse.md`; the tests say what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Table:
    """One table and the columns that the projection writes, in the order of its rows."""

    name: str
    columns: tuple[str, ...]


NULLABLE: Final = frozenset({
    "published_at", "decided_at", "occurred_at", "revision", "source_partition", "source_offset",
    "category_confidence", "urgency_confidence", "sentiment", "anger", "opened_at",
    "priority_score", "impact", "sla_ms", "sla_used_ms", "amount_minor", "risk", "matures_at",
    "satisfaction", "is_fraud", "alert_occurred_at", "override_until", "score",
    "category_threshold", "mood_confidence", "ask_propensity", "ask_share", "baseline",
})  # fmt: skip
"""Columns that are NULL where there is nothing to say; in any other text, nothing is ''."""

FILLED: Final = frozenset({
    "journal_partition", "number", "appended_at", "journal_offset", "epoch", "effect_count",
    "known", "reference_amount", "unparked_count", "abstained", "asked", "transaction_ids",
    "categories", "category_reason_names", "category_reason_contributions",
    "urgency_reason_names", "urgency_reason_contributions", "mood_reason_names",
    "mood_reason_contributions", "features", "repeated", "anomaly", "percentile", "suspicious",
    "alert", "budget_left", "sampled", "propensity", "assessed_count", "reason_names",
    "reason_contributions", "known_at", "tick_at", "done_count", "is_full", "matured_count",
    "dropped_count", "value_bytes", "effect_index", "open_ticket_ids", "evidence_positions",
    "evidence_event_ids", "lesson_partition", "lesson_offset", "scores", "quality_partition",
    "quality_offset", "value", "window_count", "missing_count",
})  # fmt: skip
"""Columns that are no text and always there."""

HEAD: Final = (
    "journal_partition", "number", "tenant", "customer_id", "event_id", "occurred_at",
    "published_at", "decided_at", "appended_at", "policy", "revision",
)  # fmt: skip
"""How every row of a journal record begins."""

TICKET_FIELDS: Final = {
    "type": "type", "ticket_id": "ticket_id", "known": "known", "status": "status",
    "channel": "channel", "product": "product", "language": "language", "category": "category",
    "category_confidence": "category_confidence", "urgency": "urgency",
    "urgency_confidence": "urgency_confidence", "urgency_source": "urgency_source",
    "sentiment": "sentiment", "anger": "anger", "reference_amount": "amount_at_stake",
    "opened_at": "opened_ms", "unparked_count": "unparked",
}  # fmt: skip
"""Column → field of a ticket's decision."""

TICKET_ADDED: Final[dict[str, Any]] = {
    "category_threshold": None, "abstained": False, "mood": None, "mood_confidence": None,
    "mood_source": None, "asked": False, "ask_propensity": None, "ask_share": None,
}  # fmt: skip
"""Column and field of a ticket's decision → what holds where core 1 has decided."""

TRANSACTION_FIELDS: Final = {
    "transaction_id": "transaction_id", "repeated": "repeated", "outcome": "outcome",
    "score": "score", "score_kind": "score_kind", "risk": "risk", "anomaly": "anomaly",
    "percentile": "percentile", "reference_amount": "amount", "suspicious": "suspicious",
    "alert": "alert", "alert_id": "alert_id", "suppressed": "suppressed",
    "suppressed_by": "suppressed_by", "severity": "severity", "typology": "typology",
    "entity": "entity", "case_key": "case_key", "dedup_key": "dedup_key",
    "budget_left": "budget_left", "reason_space": "reason_space", "sampled": "sampled",
    "propensity": "propensity", "matures_at": "mature_ms", "unparked_count": "unparked",
}  # fmt: skip
"""Column → field of a transaction's decision."""

PAYMENT_FIELDS: Final = (
    "amount_minor", "currency", "response_code", "channel", "merchant_id", "terminal_id", "mcc",
    "country", "region", "device_id", "card",
)  # fmt: skip
"""Columns that a transaction's event fills; some of them may be missing there."""

FEEDBACK_FIELDS: Final = {
    "type": "type", "subject_kind": "subject_kind", "subject_id": "subject_id",
    "outcome": "outcome", "source": "source", "known_at": "known_ms", "category": "category",
    "urgency": "urgency", "solution": "solution", "satisfaction": "satisfaction",
    "is_fraud": "is_fraud", "verdict": "verdict", "typology": "typology", "alert_id": "alert_id",
    "alert_transaction_id": "alert_transaction_id", "alert_severity": "alert_severity",
    "alert_occurred_at": "alert_occurred_ms", "override": "override",
    "override_until": "override_until_ms", "predicted": "predicted", "score": "score",
}  # fmt: skip
"""Column → field of a feedback's decision."""

EFFECT_HEAD: Final = (
    "journal_partition", "number", "effect_index", "event_id", "occurred_at", "published_at",
    "decided_at", "appended_at", "policy", "revision",
)  # fmt: skip
"""How every row of an effect begins."""

QUESTION_FIELDS: Final = {
    "question_id": "id", "tenant": "tenant", "customer_id": "customer_id",
    "ticket_id": "ticket_id", "task": "task", "propensity": "propensity", "reason": "reason",
    "language": "language",
}  # fmt: skip
"""Column → field of a question."""

ALERT_FIELDS: Final = {
    "alert_id": "id", "tenant": "tenant", "customer_id": "customer_id", "entity": "entity",
    "transaction_id": "transaction_id", "severity": "severity", "typology": "typology",
    "score": "score", "score_kind": "score_kind", "percentile": "percentile",
    "amount_minor": "amount_minor", "currency": "currency", "case_key": "case_key",
    "dedup_key": "dedup_key", "open_ticket_ids": "open_ticket_ids",
}  # fmt: skip
"""Column → field of an alert."""

CHANGE_FIELDS: Final = {
    "change_id": "id", "tenant": "tenant", "customer_id": "customer_id", "ticket_id": "ticket_id",
    "priority": "priority", "previous": "previous", "score": "score", "impact": "impact",
    "urgency": "urgency", "category": "category", "cause": "cause",
}  # fmt: skip
"""Column → field of a change of priority."""

LESSON_FIELDS: Final = {
    "lesson_id": "id", "task": "task", "tenant": "tenant", "customer_id": "customer_id",
    "decision_id": "decision_id", "subject_id": "subject_id", "label_source": "label_source",
    "propensity": "propensity", "terminal_id": "terminal_id", "amount_minor": "amount_minor",
    "occurred_at": "occurred_ms", "known_at": "known_ms", "corrects": "corrects",
}  # fmt: skip
"""Column → field of a lesson."""

QUALITY_FIELDS: Final = {
    "quality_id": "id", "kind": "kind", "learner": "learner", "metric": "metric",
    "segment": "segment", "maturity": "maturity", "value": "value", "baseline": "baseline",
    "window_count": "window_count", "missing_count": "missing_count", "revision": "revision",
    "known_at": "known_ms", "core": "core",
}  # fmt: skip
"""Column → field of a figure about a learner."""

JOURNAL_ENTRIES: Final = Table("journal_entries", (
    *HEAD, "journal_offset", "epoch", "writer", "kind", "source_topic", "source_partition",
    "source_offset", "core", "learner_digest", "effect_count", "first_position",
))  # fmt: skip
TICKET_DECISIONS: Final = Table("ticket_decisions", (
    *HEAD, *TICKET_FIELDS, *TICKET_ADDED, "amount_minor", "currency", "transaction_ids", "priority",
    "priority_score", "impact", "sla_ms", "sla_used_ms", "categories", "category_reason_names",
    "category_reason_contributions", "urgency_reason_names", "urgency_reason_contributions",
    "mood_reason_names", "mood_reason_contributions", "features",
))  # fmt: skip
TRANSACTION_DECISIONS: Final = Table("transaction_decisions", (
    *HEAD, *TRANSACTION_FIELDS, *PAYMENT_FIELDS, "assessed_count", "reason_names",
    "reason_contributions", "features",
))  # fmt: skip
FEEDBACK_DECISIONS: Final = Table("feedback_decisions", (*HEAD, *FEEDBACK_FIELDS, "mood"))
TICKS: Final = Table("ticks", (
    "journal_partition", "number", "tick_at", "decided_at", "appended_at", "policy", "revision",
    "done_count", "is_full", "matured_count", "dropped_count", "assessed_count",
))  # fmt: skip
DEAD_LETTERS: Final = Table("dead_letters", (
    "journal_partition", "number", "source_topic", "source_partition", "source_offset",
    "published_at", "decided_at", "appended_at", "stage", "error", "message",
    "value_bytes",
))  # fmt: skip
ALERTS: Final = Table("alerts", (
    *EFFECT_HEAD, *ALERT_FIELDS, "reason_names", "reason_contributions", "evidence_positions",
    "evidence_event_ids",
))  # fmt: skip
PRIORITY_CHANGES: Final = Table("priority_changes", (
    *EFFECT_HEAD, *CHANGE_FIELDS, "abstained", "override_until", "reason_names",
    "reason_contributions",
))  # fmt: skip
QUESTIONS: Final = Table("questions", (*EFFECT_HEAD, *QUESTION_FIELDS, "categories"))
LESSONS: Final = Table("lessons", (
    "lesson_partition", "lesson_offset", "appended_at", *LESSON_FIELDS, "asked", "label", "scores",
    "features",
))  # fmt: skip
QUALITY: Final = Table("quality", (
    "quality_partition", "quality_offset", "appended_at", *QUALITY_FIELDS,
))  # fmt: skip

TABLES: Final = (
    JOURNAL_ENTRIES, TICKET_DECISIONS, TRANSACTION_DECISIONS, FEEDBACK_DECISIONS, TICKS,
    DEAD_LETTERS, ALERTS, PRIORITY_CHANGES, QUESTIONS, LESSONS, QUALITY,
)  # fmt: skip
