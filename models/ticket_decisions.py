"""Deciding about a ticket: what it says, how pressing it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.context import Context, Draft, place, subject_place
from models.customer import fold_ticket_list
from models.effects import Effects
from models.priority import assess, customer_risk
from models.reading import read_text, text_features
from models.state import Value
from models.teaching import Subject, remember, text_of, waiting_for
from models.ticket import fold_findings, fold_ticket, is_open, next_status, open_ticket
from models.word_lists import Mood
from schemas.codec import dump
from schemas.decisions import Labelled, Linked
from schemas.errors import RejectedError
from schemas.journal import Source
from schemas.tickets import TicketClosed, TicketMessage, TicketOpened, TicketStatusChanged

DAY_MS = 86_400_000

TicketAny = TicketOpened | TicketMessage | TicketStatusChanged | TicketClosed


def decide_ticket(event: TicketAny, occurred_ms: int, source: Source, context: Context) -> Draft:
    """Decide about a ticket event.

    Raises:
        RejectedError: the ticket belongs to another customer.
    """
    tenant = event.tenant
    ticket = context.state.get("ticket", place(tenant, event.ticket_id))
    if ticket is not None and ticket["customer_id"] != event.customer_id:
        raise RejectedError(f"ticket {event.ticket_id} belongs to another customer")
    customer = context.state.get("customer", place(tenant, event.customer_id))
    body = dump(event)
    effects = Effects(context.stamp)
    features: dict[str, float] = {}
    opening = isinstance(event, TicketOpened) and not is_open(ticket)
    before = None if opening else ticket
    decision = _unread(event, before)
    if before is None and not opening:
        return context.draft("ticket", body, occurred_ms, source, features, decision, [])
    if isinstance(event, TicketOpened | TicketMessage):
        if opening and isinstance(event, TicketOpened):
            decision["amount_at_stake"] = _stake(event, context)
        decision["linked"] = _linked(event.transaction_ids, tenant, source, context)
        features = _read(event, body, before, decision, customer, occurred_ms, context)
    after: Value
    if before is None:
        decision |= {"known": True, "status": "open", "opened_ms": occurred_ms}
        after = open_ticket(body, occurred_ms, decision)
        after = _unpark(body, features, decision, after, occurred_ms, source, context, effects)
    else:
        decision["status"] = next_status(before, body)
        after = fold_ticket(before, body, occurred_ms, decision)
    customer = fold_ticket_list(customer, event.ticket_id, is_open(after), occurred_ms)
    if is_open(after):
        assessment = assess(
            tenant, event.ticket_id, after, customer, occurred_ms, event.type, context.policy
        )
        effects.priority(assessment, after, occurred_ms)
        decision["tickets"] = [assessment]
    return context.draft("ticket", body, occurred_ms, source, features, decision, effects.items)


def _unread(event: TicketAny, ticket: Value | None) -> dict[str, Any]:
    """Give the decision before anything was read: what the ticket carries on."""
    carried: Mapping[str, Any] = ticket if ticket is not None else {}
    return {
        "type": event.type,
        "ticket_id": event.ticket_id,
        "known": ticket is not None,
        "status": carried.get("status", "unknown"),
        "channel": getattr(event, "channel", carried.get("channel")),
        "product": getattr(event, "product", carried.get("product")),
        "language": carried.get("language"),
        "category": carried.get("category"),
        "category_confidence": carried.get("confidence"),
        "categories": [],
        "category_reasons": [],
        "urgency": carried.get("urgency"),
        "urgency_confidence": None,
        "urgency_source": None if ticket is None else "carried",
        "urgency_reasons": [],
        "sentiment": carried.get("sentiment"),
        "anger": carried.get("anger"),
        "amount_at_stake": carried.get("amount", 0.0),
        "opened_ms": carried.get("opened_ms"),
        "linked": [],
        "tickets": [],
        "labels": [],
        "unparked": 0,
    }


def _read(
    event: TicketOpened | TicketMessage,
    body: Mapping[str, Any],
    ticket: Value | None,
    decision: dict[str, Any],
    customer: Value | None,
    occurred_ms: int,
    context: Context,
) -> dict[str, float]:
    """Read the event's text into the decision, and give the features.

    A later message may raise the urgency and darken the mood, not the other way; it changes the
    category only while that is not sure. What an agent writes is not read.
    """
    if isinstance(event, TicketMessage) and event.author == "agent":
        return {}
    rules = context.policy.priority
    text = text_of(body)
    reading = read_text(text, event.language, context.learners, rules)
    mood = Mood(reading["sentiment"], reading["anger"])
    if ticket is not None:
        reading = _merge(ticket, reading, rules.reclassify_below)
    decision.update(reading)
    tier = event.customer_tier if isinstance(event, TicketOpened) else "standard"
    if ticket is not None:
        tier = ticket["tier"]
    recent = [] if customer is None else customer["recent"]
    risk = customer_risk(customer, occurred_ms, rules)
    return text_features(text, reading["language"], mood, occurred_ms, tier) | {
        "amount_at_stake": decision["amount_at_stake"],
        "linked_count": float(len(decision["linked"])),
        "linked_suspicious": float(sum(fact["suspicious"] for fact in decision["linked"])),
        "open_tickets": float(
            0 if customer is None else len({*customer["tickets"]} - {event.ticket_id})
        ),
        "customer_risk": risk.total,
        "alerts_7d": float(
            sum(
                0 <= occurred_ms - at < 7 * DAY_MS
                for _, at, _ in (customer or {}).get("alerts", [])
            )
        ),
        "declined_1d": float(
            sum(
                entry["outcome"] == "declined" and 0 <= occurred_ms - entry["at_ms"] < DAY_MS
                for entry in recent
            )
        ),
    }


def _merge(ticket: Value, reading: dict[str, Any], reclassify_below: float) -> dict[str, Any]:
    sure = ticket["category"] is not None and (
        ticket["confidence"] >= reclassify_below
        or (reading["category_confidence"] or 0.0) <= ticket["confidence"]
    )
    if sure:
        reading |= {
            "category": ticket["category"],
            "category_confidence": ticket["confidence"],
            "category_reasons": [],
        }
    order = ("critical", "high", "medium", "low")
    if order.index(ticket["urgency"]) <= order.index(reading["urgency"]):
        reading |= {
            "urgency": ticket["urgency"],
            "urgency_confidence": None,
            "urgency_source": "carried",
            "urgency_reasons": [],
        }
    reading["sentiment"] = min(ticket["sentiment"], reading["sentiment"])
    reading["anger"] = max(ticket["anger"], reading["anger"])
    return reading


def _stake(event: TicketOpened, context: Context) -> float:
    stake = event.amount_at_stake
    return 0.0 if stake is None else context.policy.amount(stake.amount_minor, stake.currency)


def _linked(
    transaction_ids: Sequence[str], tenant: str, source: Source, context: Context
) -> list[Linked]:
    """Look up the transactions that a ticket names."""
    found: list[Linked] = []
    for transaction_id in dict.fromkeys(transaction_ids):
        key = subject_place("transaction", tenant, transaction_id)
        memory = context.recall("remembered", key, source["published_ms"])
        found.append(
            {
                "transaction_id": transaction_id,
                "known": memory is not None,
                "amount": 0.0 if memory is None else memory["amount"],
                "suspicious": memory is not None and memory["suspicious"],
            }
        )
    return found


def _unpark(
    body: Mapping[str, Any],
    features: Mapping[str, float],
    decision: dict[str, Any],
    ticket: Value,
    occurred_ms: int,
    source: Source,
    context: Context,
    effects: Effects,
) -> Value:
    """Apply the feedback that waited for this ticket, in the order in which it came."""
    parked = context.state.get("parked", subject_place("ticket", body["tenant"], body["ticket_id"]))
    if parked is None:
        return ticket
    memory = remember(
        body,
        decision,
        features,
        occurred_ms,
        source["published_ms"],
        context.stamp.decision_id,
    )
    subject = Subject("ticket", body["tenant"], body["ticket_id"], memory)
    labels: list[Labelled] = []
    for waiting in waiting_for(parked, body["customer_id"]):
        labels += teach_ticket(subject, waiting, effects)
        ticket = fold_findings(ticket, waiting)
    decision["labels"] = labels
    decision["unparked"] = len(parked["items"])
    return ticket


def teach_ticket(subject: Subject, findings: Mapping[str, Any], effects: Effects) -> list[Labelled]:
    """Let what people said about a ticket meet its decision."""
    source, known_ms = findings["source"], findings["known_ms"]
    labels: list[Labelled] = []
    if findings["category"] is not None:
        labels.append(
            subject.teach("category", findings["category"], source, known_ms, 1.0, effects)
        )
    if findings["urgency"] is not None:
        labels.append(subject.teach("urgency", findings["urgency"], source, known_ms, 1.0, effects))
    return labels
