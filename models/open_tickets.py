"""The join: what happens to a customer changes the priority of the customer's open tickets."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.context import Context, place
from models.customer import fold_fraud
from models.effects import Effects
from models.priority import assess
from models.state import Value
from models.teaching import new_frauds
from models.ticket import is_open
from schemas.decisions import Assessment

Fold = Callable[[Value], Value]


def assess_open_tickets(
    customer: Value | None,
    tenant: str,
    occurred_ms: int,
    cause: str,
    context: Context,
    effects: Effects,
    fold: Fold = lambda ticket: ticket,
) -> list[Assessment]:
    """Assess all open tickets of a customer anew; each changed class adds a priority change.

    Args:
        customer: The customer after the event.
        tenant: Of the customer.
        occurred_ms: Event time.
        cause: The event's type.
        context: Around the decision.
        effects: Collects the priority changes.
        fold: What the event does to each ticket before it is assessed.
    """
    assessments: list[Assessment] = []
    for ticket_id in () if customer is None else customer["tickets"]:
        ticket = context.state.get("ticket", place(tenant, ticket_id))
        if ticket is None or not is_open(ticket):
            continue
        after = fold(ticket)
        assessment = assess(tenant, ticket_id, after, customer, occurred_ms, cause, context.policy)
        effects.priority(assessment, after, occurred_ms)
        assessments.append(assessment)
    return assessments


def fold_frauds(customer: Value | None, labels: Sequence[Mapping[str, Any]]) -> Value | None:
    """Give the customer after labels became known."""
    if customer is not None:
        for label in new_frauds(labels):
            customer = fold_fraud(
                customer,
                label["subject_id"],
                bool(label["label"]),
                label["occurred_ms"],
                label["known_ms"],
            )
    return customer
