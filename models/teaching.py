"""A label meets the decision it is about, and becomes a lesson."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.effects import Effects
from models.state import Value
from schemas.decisions import Labelled, LabelOutcome
from schemas.outputs import LabelSource, Lesson, Previous, Task

PARKED = 8
"""Feedbacks that may wait for one decision; the oldest drops out."""


@dataclass(slots=True)
class Subject:
    """A remembered decision while labels meet it.

    Args:
        kind: ``ticket`` or ``transaction``.
        tenant: Of the subject.
        subject_id: The ticket or transaction.
        memory: What is remembered of it, see `remember`.
    """

    kind: str
    tenant: str
    subject_id: str
    memory: Value
    labels: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.labels = dict(self.memory["labels"])

    def teach(
        self,
        task: Task,
        label: str | bool,
        source: LabelSource,
        known_ms: int,
        propensity: float,
        effects: Effects,
    ) -> Labelled:
        """Let a label meet the decision; a new or changed one adds a lesson to the effects."""
        earlier = self.labels.get(task)
        outcome: LabelOutcome = "learned"
        if earlier is not None:
            guessed = earlier["source"] == "implicit"
            if earlier["label"] == label or (source == "implicit" and not guessed):
                outcome = "repeated"
            elif known_ms < earlier["known_ms"] and not guessed:
                outcome = "outdated"
            else:
                outcome = "corrected"
        lesson_id = None
        if outcome in ("learned", "corrected"):
            lesson_id = effects.next_id
            effects.lesson(
                self._lesson(task, label, source, known_ms, propensity, lesson_id, earlier)
            )
            self.labels[task] = {
                "label": label,
                "lesson_id": lesson_id,
                "known_ms": known_ms,
                "source": source,
            }
        return {
            "task": task,
            "tenant": self.tenant,
            "subject_id": self.subject_id,
            "customer_id": self.memory["customer_id"],
            "decision_id": self.memory["decision_id"],
            "label": label,
            "previous": None if earlier is None else earlier["label"],
            "source": source,
            "outcome": outcome,
            "lesson_id": lesson_id,
            "known_ms": known_ms,
            "occurred_ms": self.memory["occurred_ms"],
        }

    def sample(self, task: Task, share: float, effects: Effects) -> Labelled:
        """Give the subject out at once, without a label."""
        lesson_id = effects.next_id
        known_ms = self.memory["occurred_ms"]
        effects.lesson(self._lesson(task, None, "sample", known_ms, share, lesson_id, None))
        return {
            "task": task,
            "tenant": self.tenant,
            "subject_id": self.subject_id,
            "customer_id": self.memory["customer_id"],
            "decision_id": self.memory["decision_id"],
            "label": None,
            "previous": None,
            "source": "sample",
            "outcome": "sampled",
            "lesson_id": lesson_id,
            "known_ms": known_ms,
            "occurred_ms": known_ms,
        }

    def _lesson(
        self,
        task: Task,
        label: str | bool | None,
        source: LabelSource,
        known_ms: int,
        propensity: float,
        lesson_id: str,
        earlier: Value | None,
    ) -> Lesson:
        memory = self.memory
        return {
            "id": lesson_id,
            "task": task,
            "tenant": self.tenant,
            "customer_id": memory["customer_id"],
            "decision_id": memory["decision_id"],
            "subject_id": self.subject_id,
            "features": memory["features"],
            "text": memory["text"],
            "label": label,
            "label_source": source,
            "scores": memory["scores"].get(task, {}),
            "answered": task in memory.get("answered", ()),
            "propensity": propensity,
            "asked": label is not None and memory.get("asked", False),
            "terminal_id": memory["terminal_id"],
            "amount_minor": memory["amount_minor"],
            "occurred_ms": memory["occurred_ms"],
            "known_ms": known_ms,
            "corrects": None if earlier is None else earlier["lesson_id"],
            "previous": None if earlier is None else self._previous(earlier),
        }

    def _previous(self, earlier: Value) -> Previous:
        """Give what the corrected lesson said; people say it of all, time of a sample."""
        chosen = self.kind == "ticket" or earlier["source"] == "implicit"
        return {
            "label": earlier["label"],
            "known_ms": earlier["known_ms"],
            "propensity": self.memory["propensity"] if chosen else 1.0,
        }


def remember(
    event: Mapping[str, Any],
    decision: Mapping[str, Any],
    features: Mapping[str, float],
    occurred_ms: int,
    published_ms: int,
    decision_id: str,
) -> dict[str, Any]:
    """Give what room ``remembered`` keeps of a decision, without any label yet."""
    is_transaction = "transaction_id" in decision
    return {
        "at_ms": published_ms,
        "occurred_ms": occurred_ms,
        "decision_id": decision_id,
        "customer_id": event["customer_id"],
        "terminal_id": event.get("terminal_id"),
        "amount_minor": event.get("amount_minor"),
        "text": None if is_transaction else text_of(event),
        "features": features,
        "scores": _risk_scores(decision) if is_transaction else _text_scores(decision),
        "answered": _answered(decision),
        "amount": decision["amount"] if is_transaction else decision["amount_at_stake"],
        "suspicious": is_transaction and decision["suspicious"],
        "score": decision["score"] if is_transaction else None,
        "category": None if is_transaction else decision["category"],
        "alert_id": decision["alert_id"] if is_transaction else None,
        "propensity": decision["propensity"] if is_transaction else _ask_propensity(decision),
        "asked": decision.get("asked", False),
        "labels": {},
    }


def fold_label(memory: Value, label: Mapping[str, Any]) -> dict[str, Any]:
    """Give a remembered decision after a label met it."""
    entry = {
        "label": label["label"],
        "lesson_id": label["lesson_id"],
        "known_ms": label["known_ms"],
        "source": label["source"],
    }
    return {**memory, "labels": {**memory["labels"], label["task"]: entry}}


def waiting_for(parked: Value | None, customer_id: str) -> list[Mapping[str, Any]]:
    """Give the parked findings about a customer's subject, in the order in which they came."""
    items = () if parked is None else parked["items"]
    return [finding for finding in items if finding["customer_id"] == customer_id]


def is_new(label: Mapping[str, Any]) -> bool:
    """Tell whether a label changed what is known of its subject."""
    return label["outcome"] in ("learned", "corrected")


def new_frauds(labels: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give the labels by which people said whether a transaction was fraud."""
    return [
        label
        for label in labels
        if label["task"] == "risk" and label["source"] != "implicit" and is_new(label)
    ]


def text_of(event: Mapping[str, Any]) -> str:
    """Give the text of a ticket event, subject first."""
    subject, text = event.get("subject", ""), event.get("text", "")
    return f"{subject}\n{text}" if subject else text


def _ask_propensity(decision: Mapping[str, Any]) -> float:
    """Give the chance with which labels of a ticket are there: 1 unless they were asked for."""
    return float(decision["ask_propensity"]) if decision.get("asked") else 1.0


def _risk_scores(decision: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    risk = {} if decision["risk"] is None else {"risk": decision["risk"]}
    both = {
        **risk,
        "anomaly": decision["anomaly"],
        "percentile": decision["percentile"],
        "scorecard": decision.get("scorecard", decision["score"]),
        "blend": decision.get("blend", decision["score"]),
    }
    return {"risk": both, "anomaly": both}


def _text_scores(decision: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Give what the learners said, also where the word rules decided."""
    said = {"category": "categories", "urgency": "urgencies", "mood": "moods"}
    return {
        task: {choice["label"]: choice["probability"] for choice in decision.get(name, ())}
        for task, name in said.items()
    }


def _answered(decision: Mapping[str, Any]) -> list[str]:
    """Name the tasks in which the decision rested on what the learner said."""
    if "transaction_id" in decision:
        return ["risk"] if decision["score_kind"] == "risk" else []
    found = [] if decision.get("abstained", True) else ["category"]
    return found + [
        task for task in ("urgency", "mood") if decision.get(f"{task}_source") == "learner"
    ]
