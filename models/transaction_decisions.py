"""Deciding about a transaction: score, alert, the customer's tickets, what will be learned."""

from collections.abc import Mapping
from typing import Any

from models.alerting import judge
from models.context import Context, Draft, place, subject_place
from models.customer import fold_transaction
from models.effects import Effects
from models.features.transaction import extract_transaction
from models.knowledge import TerminalFacts
from models.open_tickets import assess_open_tickets, fold_frauds
from models.policy import Policy
from models.sampling import is_chosen
from models.scoring import Score, score_transaction
from models.state import Value
from models.teaching import Subject, remember, waiting_for
from models.ticket import fold_linked
from schemas.base import moment
from schemas.codec import dump
from schemas.decisions import Labelled
from schemas.journal import Source
from schemas.outputs import Alert, Evidence
from schemas.transactions import Transaction

EVIDENCE = 6


def decide_transaction(
    event: Transaction, occurred_ms: int, source: Source, context: Context
) -> Draft:
    """Decide about a transaction."""
    state, policy = context.state, context.policy
    tenant, subject_id = event.tenant, event.transaction_id
    effects = Effects(context.stamp)
    customer = state.get("customer", place(tenant, event.customer_id))
    subject_key = subject_place("transaction", tenant, subject_id)
    amount = policy.amount(event.amount_minor, event.currency)
    terminal = context.learners.knowledge.facts(tenant, event.terminal_id, occurred_ms)
    usual = context.learners.usual.facts(tenant, occurred_ms)
    features = extract_transaction(event, occurred_ms, amount, customer, terminal, usual)
    score = score_transaction(features, context.learners, policy.alerts)
    verdict = judge(event, occurred_ms, amount, features, score, customer, context, effects.next_id)
    repeated = context.recall("remembered", subject_key, source["published_ms"]) is not None
    share = implicit_share(terminal, occurred_ms, policy)
    sampled = not repeated and is_chosen(subject_id, "implicit", share)
    body = dump(event)
    decision: dict[str, Any] = {
        "transaction_id": subject_id,
        "repeated": repeated,
        "outcome": event.outcome,
        "score": score.score,
        "score_kind": score.kind,
        "risk": score.risk,
        "anomaly": score.anomaly,
        "scorecard": score.scorecard,
        "blend": score.blend,
        "amount": amount,
        **verdict,
        "reasons": score.reasons,
        "reason_space": "log_odds",
        "evidence": [],
        "sampled": sampled,
        "propensity": share,
        "mature_ms": occurred_ms + policy.lessons.implicit_after_ms if sampled else None,
        "tickets": [],
        "labels": [],
        "unparked": 0,
    }
    if verdict["suspicious"]:
        decision["evidence"] = _evidence(body, source, customer)
    if verdict["alert"]:
        effects.alert(_alert(body, occurred_ms, decision, score, customer, context, effects))
    if not repeated:
        _teach(body, features, decision, occurred_ms, source, context, effects)
    if (
        customer is not None
        and customer["tickets"]
        and _touches(decision, customer, tenant, context)
    ):
        after = fold_transaction(customer, body, occurred_ms, decision, source)
        decision["tickets"] = assess_open_tickets(
            fold_frauds(after, decision["labels"]),
            tenant,
            occurred_ms,
            _cause(decision),
            context,
            effects,
            lambda ticket: fold_linked(ticket, decision),
        )
    return context.draft(
        "transaction", body, occurred_ms, source, features, decision, effects.items
    )


def implicit_share(terminal: TerminalFacts, occurred_ms: int, policy: Policy) -> float:
    """Give the chance to become an implicit negative.

    It is certain where the terminal had a fraud lately: "its last label" means little as long as
    hardly any good one is known.
    """
    since_ms = terminal.last_fraud_ms
    if since_ms is not None and occurred_ms - since_ms < policy.lessons.watch_terminal_ms:
        return 1.0
    return policy.lessons.implicit_share


def _cause(decision: Mapping[str, Any]) -> str:
    if decision["alert"]:
        return "transaction.alerted"
    if decision["outcome"] == "declined":
        return "transaction.declined"
    return "transaction.risky" if decision["suspicious"] else "transaction"


def _touches(decision: Mapping[str, Any], customer: Value, tenant: str, context: Context) -> bool:
    """Tell whether the customer's tickets have to be assessed: troubled, labelled or named."""
    if decision["suspicious"] or decision["unparked"]:
        return True
    for ticket_id in customer["tickets"]:
        ticket = context.state.get("ticket", place(tenant, ticket_id))
        if ticket is not None and decision["transaction_id"] in ticket["linked"]:
            return True
    return False


def _teach(
    body: Mapping[str, Any],
    features: Mapping[str, float],
    decision: dict[str, Any],
    occurred_ms: int,
    source: Source,
    context: Context,
    effects: Effects,
) -> None:
    """Sample the transaction for the unsupervised learner, and apply labels that waited for it."""
    tenant, subject_id = body["tenant"], body["transaction_id"]
    share = context.policy.lessons.anomaly_share
    sampled = is_chosen(subject_id, "anomaly", share)
    parked = context.state.get("parked", subject_place("transaction", tenant, subject_id))
    if not sampled and parked is None:
        return
    memory = remember(
        body,
        decision,
        features,
        occurred_ms,
        source["published_ms"],
        context.stamp.decision_id,
    )
    subject = Subject("transaction", tenant, subject_id, memory)
    labels: list[Labelled] = [subject.sample("anomaly", share, effects)] if sampled else []
    labels += [
        subject.teach(
            "risk", waiting["is_fraud"], waiting["source"], waiting["known_ms"], 1.0, effects
        )
        for waiting in waiting_for(parked, body["customer_id"])
    ]
    decision["labels"] = labels
    decision["unparked"] = 0 if parked is None else len(parked["items"])


def _evidence(body: Mapping[str, Any], source: Source, customer: Value | None) -> list[Evidence]:
    """Point at this transaction and at the customer's latest troubled ones."""
    found: list[Evidence] = [
        {
            "topic": source["topic"],
            "partition": source["partition"],
            "offset": source["offset"],
            "event_id": body["event_id"],
        }
    ]
    for entry in reversed(() if customer is None else customer["recent"]):
        troubled = entry["outcome"] == "declined" or entry["risky"] or entry["alert"] is not None
        if troubled and len(found) < EVIDENCE:
            found.append(
                {
                    "topic": entry["topic"],
                    "partition": entry["partition"],
                    "offset": entry["offset"],
                    "event_id": entry["event_id"],
                }
            )
    return found


def _alert(
    body: Mapping[str, Any],
    occurred_ms: int,
    decision: Mapping[str, Any],
    score: Score,
    customer: Value | None,
    context: Context,
    effects: Effects,
) -> Alert:
    return {
        "id": effects.next_id,
        "tenant": body["tenant"],
        "customer_id": body["customer_id"],
        "entity": decision["entity"],
        "transaction_id": decision["transaction_id"],
        "severity": decision["severity"],
        "typology": decision["typology"],
        "score": score.score,
        "score_kind": score.kind,
        "percentile": decision["percentile"],
        "amount_minor": body["amount_minor"],
        "currency": body["currency"],
        "case_key": decision["case_key"],
        "dedup_key": decision["dedup_key"],
        "reasons": score.reasons,
        "evidence": decision["evidence"],
        "open_ticket_ids": [] if customer is None else list(customer["tickets"]),
        "occurred_at": moment(occurred_ms),
        "decided_at": moment(context.stamp.decided_ms),
    }
