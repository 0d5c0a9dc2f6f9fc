"""The outputs that follow from one decision, each with its identity."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.state import Stamp
from schemas.base import moment
from schemas.decisions import Assessment
from schemas.journal import Effect
from schemas.outputs import Alert, Lesson, PriorityChange, Question
from schemas.quality import Quality
from schemas.registry import ALERTS, LESSONS, PRIORITIES, QUALITY_TOPIC, QUESTIONS


@dataclass(slots=True)
class Effects:
    """Collects the effects of one decision in order; an id is partition/number/index.

    Args:
        stamp: Of the decision.
    """

    stamp: Stamp
    items: list[Effect] = field(default_factory=list)

    @property
    def next_id(self) -> str:
        """The id that the next effect gets."""
        return f"{self.stamp.decision_id}/{len(self.items)}"

    def alert(self, alert: Alert) -> None:
        """Add an alert; its id must be `next_id`."""
        self._add(ALERTS.name, alert["entity"], alert)

    def question(self, question: Question) -> None:
        """Add a question; its id must be `next_id`."""
        self._add(QUESTIONS.name, question["ticket_id"], question)

    def lesson(self, lesson: Lesson) -> None:
        """Add a lesson; its id must be `next_id`."""
        self._add(LESSONS.name, None, lesson)

    def quality(self, quality: Quality) -> None:
        """Add what is known of a learner; its id must be `next_id`."""
        self._add(QUALITY_TOPIC.name, quality["learner"], quality)

    def priority(self, assessment: Assessment, ticket: Mapping[str, Any], occurred_ms: int) -> None:
        """Add a priority change, if the assessment changed the class."""
        if not assessment["changed"]:
            return
        until_ms = assessment["override_until_ms"]
        change: PriorityChange = {
            "id": self.next_id,
            "tenant": assessment["tenant"],
            "customer_id": assessment["customer_id"],
            "ticket_id": assessment["ticket_id"],
            "priority": assessment["priority"],
            "previous": assessment["previous"],
            "score": assessment["score"],
            "impact": assessment["impact"],
            "urgency": assessment["urgency"],
            "category": ticket["category"],
            "abstained": bool(ticket.get("abstained")),
            "reasons": assessment["reasons"],
            "cause": assessment["cause"],
            "override_until": None if until_ms is None else moment(until_ms),
            "occurred_at": moment(occurred_ms),
            "decided_at": moment(self.stamp.decided_ms),
        }
        self._add(PRIORITIES.name, assessment["ticket_id"], change)

    def _add(self, topic: str, key: str | None, value: Mapping[str, Any]) -> None:
        self.items.append({"topic": topic, "key": key, "value": dict(value)})
