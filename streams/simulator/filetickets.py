"""Tickets written from the texts of a file: who wrote them, what became of them."""

from random import Random
from typing import Any, Final

from schemas.base import moment
from schemas.registry import FEEDBACK_TOPIC, TICKETS
from streams.simulator.filerows import TicketRow
from streams.simulator.hindsight import HOUR_MS, late_ms
from streams.simulator.schedule import Agenda, Truth

FEEDBACK_MEDIAN_MS: Final = 2 * HOUR_MS
CLOSED_MEDIAN_MS: Final = 8 * HOUR_MS


class Customers:
    """The customers met so far, in order of their first transaction."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}
        self._ids: list[str] = []

    def meet(self, customer_id: str) -> None:
        """Remember a customer."""
        if customer_id not in self._known:
            self._known[customer_id] = None
            self._ids.append(customer_id)

    def draw(self, rng: Random) -> str:
        """Draw one of them; without any, one of 5,000 made-up customers."""
        return rng.choice(self._ids) if self._ids else f"customer-{rng.randrange(5_000)}"


class TicketDesk:
    """Opens a ticket for each row and plans its feedback and its end.

    Args:
        agenda: The future.
        rng: Draws customers and delays.
        customers: Who may write.
        truth: Learns every ticket's label.
        feedback_share: Share of tickets whose true category becomes known, 0 to 1.
    """

    def __init__(
        self, agenda: Agenda, rng: Random, customers: Customers, truth: Truth,
        feedback_share: float,
    ) -> None:  # fmt: skip
        self._agenda = agenda
        self._rng = rng
        self._customers = customers
        self._truth = truth
        self._feedback_share = feedback_share

    def open(self, at_ms: int, row: TicketRow) -> None:
        """Open a ticket now."""
        rng = self._rng
        customer_id = self._customers.draw(rng)
        opened: dict[str, Any] = {"type": "ticket.opened", "text": row.text}
        if row.language is not None:
            opened["language"] = row.language
        self._truth.tickets[row.id] = row.label
        self._publish(at_ms, TICKETS.name, customer_id, row.id, "opened", opened)
        if rng.random() < self._feedback_share:
            known_ms = at_ms + late_ms(rng, FEEDBACK_MEDIAN_MS, 0.8)
            label = {
                "type": "feedback.ticket", "known_at": moment(known_ms), "category": row.label,
            }  # fmt: skip
            self._publish(known_ms, FEEDBACK_TOPIC.name, customer_id, row.id, "label", label)
        closed_ms = at_ms + late_ms(rng, CLOSED_MEDIAN_MS, 0.7)
        closed = {"type": "ticket.closed"}
        self._publish(closed_ms, TICKETS.name, customer_id, row.id, "closed", closed)

    def _publish(
        self, at_ms: int, topic: str, customer_id: str, ticket_id: str, what: str,
        fields: dict[str, Any],
    ) -> None:  # fmt: skip
        event = {
            "event_id": f"{ticket_id}-{what}", "customer_id": customer_id,
            "occurred_at": moment(at_ms), "ticket_id": ticket_id, **fields,
        }  # fmt: skip
        self._agenda.publish(at_ms, topic, event)
