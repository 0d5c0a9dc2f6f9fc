"""What people found out later: labels, verdicts on alerts, a person's override of a priority."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Event, Identifier, UtcDatetime, milliseconds

Urgency = Literal["low", "medium", "high", "critical"]
Mood = Literal["angry", "unhappy", "neutral", "pleased"]
Priority = Literal["P1", "P2", "P3", "P4", "P5"]
Verdict = Literal["confirmed", "refuted", "inconclusive"]
FeedbackSource = Literal["agent", "customer", "chargeback", "investigation", "system"]


class FeedbackEvent(Event):
    """What every feedback carries; ``occurred_at`` is when it was given."""

    known_at: UtcDatetime = Field(description="from when on this may be used to decide")
    source: FeedbackSource = "agent"

    @property
    def known_ms(self) -> int:
        """``known_at`` as milliseconds since the epoch."""
        return milliseconds(self.known_at)


class TicketFeedback(FeedbackEvent):
    """What a ticket turned out to be; any part may be missing."""

    type: Literal["feedback.ticket"]
    ticket_id: Identifier
    category: Identifier | None = None
    urgency: Urgency | None = None
    mood: Mood | None = Field(default=None, description="of the customer, as the text shows it")
    solution: Identifier | None = Field(default=None, description="the solution that worked")
    satisfaction: int | None = Field(default=None, ge=1, le=5)


class TransactionFeedback(FeedbackEvent):
    """Whether a transaction was fraud."""

    type: Literal["feedback.transaction"]
    transaction_id: Identifier
    is_fraud: bool
    typology: Identifier | None = Field(default=None, description="e.g. stolen_card")


class AlertFeedback(FeedbackEvent):
    """A risk analyst's verdict on an alert."""

    type: Literal["feedback.alert"]
    alert_id: Identifier
    verdict: Verdict


class PriorityOverride(FeedbackEvent):
    """A person sets a ticket's priority; it wins until it expires."""

    type: Literal["feedback.priority_override"]
    ticket_id: Identifier
    priority: Priority
    expires_at: UtcDatetime


Feedback = Annotated[
    TicketFeedback | TransactionFeedback | AlertFeedback | PriorityOverride,
    Field(discriminator="type"),
]

FEEDBACK: TypeAdapter[TicketFeedback | TransactionFeedback | AlertFeedback | PriorityOverride] = (
    TypeAdapter(Feedback)
)
