"""One ticket: what its events, labels and assessments make of it.

A value of room ``ticket`` holds customer_id, status, times, tier, language, amount, what was read
from its texts, ``linked`` ({transaction id: [amount, suspicious]}, at most 64), the SLA clock
(``used_ms`` and since when it is running, or ``None``), the last priority and score, ``override``
([priority, until_ms] or ``None``) and ``next_ms`` (its entry on the agenda).
"""

from collections.abc import Mapping
from typing import Any

from models.mood import tone_of
from models.state import Value

RUNNING = frozenset({"open", "in_progress", "reopened"})
"""Statuses in which the SLA clock runs."""

LINKED = 64


def open_ticket(
    event: Mapping[str, Any], at_ms: int, decision: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the ticket that an opening event makes."""
    ticket: dict[str, Any] = {
        "customer_id": event["customer_id"],
        "status": "open",
        "opened_ms": at_ms,
        "last_ms": at_ms,
        "channel": event.get("channel"),
        "product": event.get("product"),
        "tier": event.get("customer_tier", "standard"),
        "amount": decision["amount_at_stake"],
        "linked": {},
        "used_ms": 0,
        "running_ms": at_ms,
        "priority": None,
        "score": 0.0,
        "override": None,
        "next_ms": None,
    }
    return _take_reading(ticket, decision)


def fold_ticket(
    ticket: Value, event: Mapping[str, Any], at_ms: int, decision: Mapping[str, Any]
) -> dict[str, Any]:
    """Give a known ticket after an event about it; late events do not turn its clock back."""
    now_ms = max(at_ms, ticket["last_ms"])
    after = _take_reading(dict(ticket), decision)
    after["last_ms"] = now_ms
    return _set_status(after, decision["status"], now_ms)


def next_status(ticket: Value, event: Mapping[str, Any]) -> str:
    """Give the status after an event; a customer who writes ends waiting and resolved."""
    status: str = ticket["status"]
    if event["type"] == "ticket.closed":
        return "closed"
    if event["type"] == "ticket.status_changed":
        return str(event["status"])
    if event.get("author", "customer") == "customer":
        if status == "waiting_customer":
            return "in_progress"
        if status in ("resolved", "closed"):
            return "reopened"
    return status


def fold_linked(ticket: Value, decision: Mapping[str, Any]) -> Value:
    """Give the ticket after a transaction was decided: it may be one that the ticket names."""
    transaction_id = decision["transaction_id"]
    if transaction_id not in ticket["linked"]:
        return ticket
    fact = [decision["amount"], decision["suspicious"]]
    return {**ticket, "linked": {**ticket["linked"], transaction_id: fact}}


def fold_findings(ticket: Value, findings: Mapping[str, Any]) -> Value:
    """Give the ticket after people said what it is: category, urgency, mood, override."""
    changes: dict[str, Any] = {}
    if findings.get("category") is not None:
        changes |= {"category": findings["category"], "confidence": 1.0, "abstained": False}
    if findings.get("urgency") is not None:
        changes |= {"urgency": findings["urgency"], "urgency_source": "feedback"}
    if findings.get("mood") is not None:
        tone = tone_of(findings["mood"])
        changes |= {"mood": findings["mood"], "sentiment": tone.sentiment, "anger": tone.anger}
    if findings.get("override") is not None:
        changes["override"] = [findings["override"], findings["override_until_ms"]]
    return {**ticket, **changes} if changes else ticket


def fold_assessment(ticket: Value, assessment: Mapping[str, Any]) -> dict[str, Any]:
    """Give the ticket after an assessment."""
    return {
        **ticket,
        "last_ms": assessment["assessed_ms"],
        "priority": assessment["priority"],
        "score": assessment["score"],
        "override": ticket["override"] if assessment["overridden"] else None,
        "next_ms": assessment["next_ms"],
    }


def is_open(ticket: Value | None) -> bool:
    """Tell whether a ticket is known and not closed."""
    return ticket is not None and ticket["status"] != "closed"


def used_ms(ticket: Value, now_ms: int) -> int:
    """Give the working time used at ``now_ms``."""
    used: int = ticket["used_ms"]
    if ticket["running_ms"] is not None:
        used += max(now_ms - ticket["running_ms"], 0)
    return used


def _set_status(ticket: dict[str, Any], status: str, now_ms: int) -> dict[str, Any]:
    ticket["used_ms"] = used_ms(ticket, now_ms)
    ticket["running_ms"] = now_ms if status in RUNNING else None
    ticket["status"] = status
    if status == "closed":
        ticket["next_ms"] = None
        ticket["override"] = None
    return ticket


def _take_reading(ticket: dict[str, Any], decision: Mapping[str, Any]) -> dict[str, Any]:
    for name, field in (
        ("language", "language"),
        ("category", "category"),
        ("confidence", "category_confidence"),
        ("abstained", "abstained"),
        ("urgency", "urgency"),
        ("urgency_source", "urgency_source"),
        ("mood", "mood"),
        ("sentiment", "sentiment"),
        ("anger", "anger"),
    ):
        ticket[name] = decision.get(field)
    if decision["linked"]:
        facts = {
            fact["transaction_id"]: [fact["amount"], fact["suspicious"]]
            for fact in decision["linked"]
        }
        merged = {**ticket["linked"], **facts}
        ticket["linked"] = dict(list(merged.items())[-LINKED:])
    return ticket
