"""Deciding about feedback: it meets the decision it is about, or waits for it."""

from collections.abc import Mapping
from typing import Any

from models.context import Context, Draft, place, subject_place
from models.effects import Effects
from models.open_tickets import assess_open_tickets, fold_frauds
from models.priority import assess
from models.state import Value
from models.teaching import Subject, is_new
from models.ticket import fold_findings, is_open
from models.ticket_labels import teach_ticket
from schemas.base import milliseconds
from schemas.codec import dump
from schemas.errors import RejectedError
from schemas.feedback import AlertFeedback, PriorityOverride, TicketFeedback, TransactionFeedback
from schemas.journal import Source

FeedbackAny = TicketFeedback | TransactionFeedback | AlertFeedback | PriorityOverride


def decide_feedback(
    event: FeedbackAny, occurred_ms: int, source: Source, context: Context
) -> Draft:
    """Decide about feedback.

    Raises:
        RejectedError: it is about another customer's subject, or an override that never holds.
    """
    decision = _unmet(event)
    effects = Effects(context.stamp)
    published_ms = source["published_ms"]
    match event:
        case TransactionFeedback():
            key = subject_place("transaction", event.tenant, event.transaction_id)
            memory = context.state.get("remembered", key)
            decision["is_fraud"], decision["typology"] = event.is_fraud, event.typology
            if memory is None:
                decision["outcome"] = "parked"
            elif _is_fresh(event, memory, published_ms, context):
                _label(
                    event,
                    event.transaction_id,
                    event.is_fraud,
                    memory,
                    decision,
                    occurred_ms,
                    context,
                    effects,
                )
        case AlertFeedback():
            _judge(event, decision, occurred_ms, published_ms, context, effects)
        case TicketFeedback():
            _find(event, decision, occurred_ms, published_ms, context, effects)
        case PriorityOverride():
            _override(event, decision, occurred_ms, context, effects)
    if decision["outcome"] == "parked":
        decision["park_until_ms"] = published_ms + context.policy.park_ms
    return context.draft("feedback", dump(event), occurred_ms, source, {}, decision, effects.items)


def _unmet(event: FeedbackAny) -> dict[str, Any]:
    """Give the decision while nothing is known of its subject."""
    subject_kind = event.type.removeprefix("feedback.").replace("priority_override", "ticket")
    said = event if isinstance(event, TicketFeedback) else None
    return {
        "type": event.type,
        "subject_kind": subject_kind,
        "subject_id": getattr(event, f"{subject_kind}_id"),
        "outcome": "unknown",
        "source": event.source,
        "known_ms": event.known_ms,
        "category": said.category if said else None,
        "urgency": said.urgency if said else None,
        "mood": said.mood if said else None,
        "solution": said.solution if said else None,
        "satisfaction": said.satisfaction if said else None,
        "is_fraud": None,
        "verdict": None,
        "typology": None,
        "alert_id": None,
        "alert_transaction_id": None,
        "alert_severity": None,
        "alert_occurred_ms": None,
        "override": None,
        "override_until_ms": None,
        "predicted": None,
        "score": None,
        "park_until_ms": None,
        "tickets": [],
        "labels": [],
    }


def _is_fresh(event: FeedbackAny, memory: Value, published_ms: int, context: Context) -> bool:
    if memory["customer_id"] != event.customer_id:
        raise RejectedError(f"{event.type}: the subject belongs to another customer")
    fresh: bool = published_ms - memory["at_ms"] <= context.policy.remember_ms
    return fresh


def _label(
    event: FeedbackAny,
    transaction_id: str,
    is_fraud: bool,
    memory: Value,
    decision: dict[str, Any],
    occurred_ms: int,
    context: Context,
    effects: Effects,
) -> None:
    """Let a label meet a transaction; a new one changes the customer's risk and tickets."""
    subject = Subject("transaction", event.tenant, transaction_id, memory)
    label = subject.teach("risk", is_fraud, event.source, event.known_ms, 1.0, effects)
    decision["labels"] = [label]
    decision["score"] = memory["score"]
    decision["outcome"] = "applied" if is_new(label) else "ignored"
    if memory["alert_id"] is not None:
        alert = context.state.get("alert", memory["alert_id"])
        if alert is not None:
            _name_alert(decision, memory["alert_id"], alert)
    if is_new(label):
        customer = context.state.get("customer", place(event.tenant, event.customer_id))
        decision["tickets"] = assess_open_tickets(
            fold_frauds(customer, [label]), event.tenant, occurred_ms, event.type, context, effects
        )


def _judge(
    event: AlertFeedback,
    decision: dict[str, Any],
    occurred_ms: int,
    published_ms: int,
    context: Context,
    effects: Effects,
) -> None:
    decision["verdict"] = event.verdict
    alert = context.state.get("alert", event.alert_id)
    if alert is None or alert["tenant"] != event.tenant:
        return
    if not _is_fresh(event, alert, published_ms, context):
        return
    decision["typology"] = alert["typology"]
    decision["score"] = alert["score"]
    _name_alert(decision, event.alert_id, alert)
    repeated = alert["verdict"] == event.verdict
    decision["outcome"] = "ignored" if repeated else "applied"
    if event.verdict == "inconclusive" or repeated:
        return
    transaction_id = alert["transaction_id"]
    key = subject_place("transaction", event.tenant, transaction_id)
    memory = context.recall("remembered", key, published_ms)
    if memory is not None:
        is_fraud = event.verdict == "confirmed"
        _label(event, transaction_id, is_fraud, memory, decision, occurred_ms, context, effects)
        decision["outcome"] = "applied"


def _name_alert(decision: dict[str, Any], alert_id: str, alert: Mapping[str, Any]) -> None:
    decision["alert_id"] = alert_id
    decision["alert_transaction_id"] = alert["transaction_id"]
    decision["alert_severity"] = alert["severity"]
    decision["alert_occurred_ms"] = alert["occurred_ms"]


def _find(
    event: TicketFeedback,
    decision: dict[str, Any],
    occurred_ms: int,
    published_ms: int,
    context: Context,
    effects: Effects,
) -> None:
    key = subject_place("ticket", event.tenant, event.ticket_id)
    memory = context.state.get("remembered", key)
    if memory is None:
        decision["outcome"] = "parked"
        return
    if not _is_fresh(event, memory, published_ms, context):
        return
    decision["predicted"] = memory["category"]
    subject = Subject("ticket", event.tenant, event.ticket_id, memory)
    labels = teach_ticket(subject, decision, effects)
    decision["labels"] = labels
    noted = event.solution is not None or event.satisfaction is not None
    decision["outcome"] = "applied" if noted or any(map(is_new, labels)) else "ignored"
    if any(map(is_new, labels)):
        _assess(event, decision, occurred_ms, event.type, context, effects)


def _override(
    event: PriorityOverride,
    decision: dict[str, Any],
    occurred_ms: int,
    context: Context,
    effects: Effects,
) -> None:
    until_ms = milliseconds(event.expires_at)
    if until_ms <= occurred_ms:
        raise RejectedError("expires_at is not after occurred_at: the override would never hold")
    decision["override"], decision["override_until_ms"] = event.priority, until_ms
    ticket = context.state.get("ticket", place(event.tenant, event.ticket_id))
    if ticket is None:
        decision["outcome"] = "parked"
        return
    if ticket["customer_id"] != event.customer_id:
        raise RejectedError(f"ticket {event.ticket_id} belongs to another customer")
    if not is_open(ticket) or until_ms <= ticket["last_ms"]:
        decision["outcome"] = "ignored"
        return
    decision["outcome"] = "applied"
    _assess(event, decision, occurred_ms, "override", context, effects)


def _assess(
    event: TicketFeedback | PriorityOverride,
    decision: dict[str, Any],
    occurred_ms: int,
    cause: str,
    context: Context,
    effects: Effects,
) -> None:
    """Assess the ticket, if it is open, after what people said about it."""
    ticket = context.state.get("ticket", place(event.tenant, event.ticket_id))
    if ticket is None or not is_open(ticket):
        return
    customer = context.state.get("customer", place(event.tenant, event.customer_id))
    after = fold_findings(ticket, decision)
    assessment = assess(
        event.tenant, event.ticket_id, after, customer, occurred_ms, cause, context.policy
    )
    effects.priority(assessment, after, occurred_ms)
    decision["tickets"] = [assessment]
