"""A ticket and its labels: those that waited for it, whether to ask for one, and who measures."""

from collections.abc import Mapping
from typing import Any

from models.asking import ASKING, decide_asking, margin_of
from models.context import Context, place, subject_place
from models.effects import Effects
from models.sampling import is_chosen
from models.state import Value
from models.teaching import Subject, remember, waiting_for
from models.ticket import fold_findings
from schemas.base import moment
from schemas.decisions import Labelled
from schemas.journal import Source
from schemas.outputs import Question


def label_ticket(
    body: Mapping[str, Any],
    features: Mapping[str, float],
    decision: dict[str, Any],
    ticket: Value,
    occurred_ms: int,
    source: Source,
    context: Context,
    effects: Effects,
) -> Value:
    """Do with a ticket just opened what has to do with labels; give it as they leave it.

    A sample goes out as a lesson without a label, feedback that waited is applied in the order in
    which it came, and if that does not name the category somebody may be asked.
    """
    tenant, ticket_id = body["tenant"], body["ticket_id"]
    share = context.policy.lessons.ticket_share
    sampled = is_chosen(place(tenant, body["event_id"]), "sample", share)
    parked = context.state.get("parked", subject_place("ticket", tenant, ticket_id))
    waiting = waiting_for(parked, body["customer_id"])
    if sampled or parked is not None:
        memory = remember(
            body,
            decision,
            features,
            occurred_ms,
            source["published_ms"],
            context.stamp.decision_id,
        )
        subject = Subject("ticket", tenant, ticket_id, memory)
        labels: list[Labelled] = []
        if sampled:
            labels.append(subject.sample("category", share, effects))
        for findings in waiting:
            labels += teach_ticket(subject, findings, effects)
            ticket = fold_findings(ticket, findings)
        decision["labels"] = labels
        decision["unparked"] = 0 if parked is None else len(parked["items"])
    if all(findings["category"] is None for findings in waiting):
        _ask(body, decision, occurred_ms, context, effects)
    return ticket


def teach_ticket(subject: Subject, findings: Mapping[str, Any], effects: Effects) -> list[Labelled]:
    """Let what people said about a ticket meet its decision."""
    source, known_ms = findings["source"], findings["known_ms"]
    propensity = subject.memory["propensity"]
    return [
        subject.teach(task, findings[task], source, known_ms, propensity, effects)
        for task in ("category", "urgency", "mood")
        if findings.get(task) is not None
    ]


def _ask(
    body: Mapping[str, Any],
    decision: dict[str, Any],
    occurred_ms: int,
    context: Context,
    effects: Effects,
) -> None:
    """Ask what the ticket is about, if the budget and the draw are for it."""
    rules = context.policy.asking
    if rules.share <= 0.0:
        return
    categories = decision["categories"]
    asked = decide_asking(
        context.state.get("ledger", ASKING),
        margin_of(categories),
        place(body["tenant"], body["event_id"]),
        rules,
    )
    decision["asked"] = asked.asked
    decision["ask_propensity"] = asked.propensity
    decision["ask_share"] = rules.share
    if asked.reason is None:
        return
    question: Question = {
        "id": effects.next_id,
        "tenant": body["tenant"],
        "customer_id": body["customer_id"],
        "ticket_id": body["ticket_id"],
        "task": "category",
        "categories": categories,
        "propensity": asked.propensity,
        "reason": asked.reason,
        "language": decision["language"],
        "occurred_at": moment(occurred_ms),
        "decided_at": moment(context.stamp.decided_ms),
    }
    effects.question(question)
