"""Deciding about a ticket: what it says, how pressing it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.context import Context, Draft, place, subject_place
from models.customer import fold_ticket_list
from models.effects import Effects
from models.priority import assess, customer_risk
from models.reading import merge_reading, read_text, text_features
from models.state import Value
from models.teaching import text_of
from models.ticket import fold_ticket, is_open, next_status, open_ticket
from models.ticket_labels import label_ticket
from models.word_lists import Tone
from schemas.codec import dump
from schemas.decisions import Linked
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
        after = label_ticket(body, features, decision, after, occurred_ms, source, context, effects)
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
        "category_threshold": None,
        "abstained": bool(carried.get("abstained")),
        "categories": [],
        "category_reasons": [],
        "urgency": carried.get("urgency"),
        "urgency_confidence": None,
        "urgency_source": None if ticket is None else "carried",
        "urgency_reasons": [],
        "urgencies": [],
        "mood": carried.get("mood"),
        "mood_confidence": None,
        "mood_source": None if ticket is None else "carried",
        "mood_reasons": [],
        "moods": [],
        "sentiment": carried.get("sentiment"),
        "anger": carried.get("anger"),
        "amount_at_stake": carried.get("amount", 0.0),
        "opened_ms": carried.get("opened_ms"),
        "linked": [],
        "tickets": [],
        "labels": [],
        "unparked": 0,
        "asked": False,
        "ask_propensity": None,
        "ask_share": None,
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

    A later message changes little, see `merge_reading`. What an agent writes is not read.
    """
    if isinstance(event, TicketMessage) and event.author == "agent":
        return {}
    rules = context.policy.priority
    text = text_of(body)
    reading = read_text(text, event.language, context.learners, rules)
    tone = Tone(reading["sentiment"], reading["anger"])
    if ticket is not None:
        reading = merge_reading(ticket, reading, rules.reclassify_below)
    decision.update(reading)
    tier = event.customer_tier if isinstance(event, TicketOpened) else "standard"
    if ticket is not None:
        tier = ticket["tier"]
    recent = [] if customer is None else customer["recent"]
    risk = customer_risk(customer, occurred_ms, rules)
    return text_features(text, reading["language"], tone, occurred_ms, tier) | {
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
