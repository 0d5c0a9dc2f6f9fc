"""The support desk's side: who writes why, and how a ticket lives until it is closed."""

from random import Random
from typing import Any, Final

from schemas.base import moment
from schemas.registry import TICKETS
from streams.simulator.hindsight import HOUR_MS, MINUTE_MS, URGENCIES, Hindsight, late_ms
from streams.simulator.ledger import Payment
from streams.simulator.schedule import Agenda, Truth
from streams.simulator.world import Customer, World
from streams.simulator.writing import Writer

_CHANNELS: Final = ("app", "chat", "email", "phone", "web", "social", "branch")
_CHANNEL_WEIGHTS: Final = (34, 22, 20, 8, 12, 2, 2)

_BACKGROUND: Final = (
    ("card_delivery", 17), ("account_access", 17), ("refund_missing", 15), ("fees", 13),
    ("identity_check", 12), ("personal_details", 11), ("lost_or_stolen_card", 9),
    ("transfer_delayed", 6),
)  # fmt: skip
"""Tickets that no payment causes, and their weights."""

_URGENCY: Final = {
    "account_access": 1, "card_delivery": 0, "cash_machine": 1, "declined_payment": 1,
    "duplicate_charge": 1, "fees": 0, "identity_check": 0, "lost_or_stolen_card": 2,
    "personal_details": 0, "refund_missing": 0, "service_outage": 2, "transfer_delayed": 1,
    "unrecognised_charge": 2,
}  # fmt: skip


class Support:
    """Opens tickets and plans their lives.

    Args:
        agenda: The future.
        rng: Draws who writes and when.
        world: The customers.
        writers: By language.
        hindsight: Told about every ticket.
        truth: Learns every ticket's category, urgency and mood.
        prefix: Begins every ticket id.
        gap_ms: Mean time between tickets that no payment causes.
    """

    def __init__(
        self, agenda: Agenda, rng: Random, world: World, writers: dict[str, Writer],
        hindsight: Hindsight, truth: Truth, prefix: str, gap_ms: float,
    ) -> None:  # fmt: skip
        self._agenda = agenda
        self._rng = rng
        self._world = world
        self._writers = writers
        self._hindsight = hindsight
        self._truth = truth
        self._prefix = prefix
        self._gap_ms = gap_ms
        self._count = 0
        self._events = 0

    def start(self, start_ms: int) -> None:
        """Plan the first ticket that no payment causes."""
        self._agenda.plan(start_ms + self._gap(), self._background)

    def _gap(self) -> int:
        return 1 + int(self._rng.expovariate(1 / self._gap_ms))

    def _background(self, at_ms: int) -> None:
        categories, weights = zip(*_BACKGROUND, strict=True)
        category = self._rng.choices(categories, weights)[0]
        self._open(at_ms, self._rng.choice(self._world.customers), category, None)
        self._agenda.plan(at_ms + self._gap(), self._background)

    def witness(self, payment: Payment) -> None:
        """Plan a ticket about a payment, if its customer is going to write one."""
        caused = self._caused(payment)
        if caused is None:
            return
        category, delay_ms = caused
        about = None if category in ("account_access", "lost_or_stolen_card") else payment
        self._agenda.plan(
            payment.at_ms + delay_ms,
            lambda at: self._open(at, payment.customer, category, about),
        )

    def _caused(self, payment: Payment) -> tuple[str, int] | None:
        rng = self._rng
        drawn = rng.random()
        if payment.fraud is not None:
            if drawn < 0.22 and payment.outcome == "approved":
                return "unrecognised_charge", late_ms(rng, 4 * HOUR_MS, 1.1)
            if drawn > 0.94:
                takeover = payment.fraud == "account_takeover"
                category = "account_access" if takeover else "lost_or_stolen_card"
                return category, late_ms(rng, 40 * MINUTE_MS, 0.8)
            return None
        if payment.in_outage:
            return ("service_outage", late_ms(rng, 12 * MINUTE_MS, 0.9)) if drawn < 0.7 else None
        if payment.outcome == "declined":
            return ("declined_payment", late_ms(rng, 8 * MINUTE_MS, 1.0)) if drawn < 0.4 else None
        merchant = payment.merchant
        if merchant is None:
            return ("transfer_delayed", late_ms(rng, 30 * HOUR_MS, 0.6)) if drawn < 0.07 else None
        if merchant.channel == "atm" and drawn < 0.06:
            return "cash_machine", late_ms(rng, 20 * MINUTE_MS, 0.8)
        if merchant.country != payment.customer.country and drawn < 0.02:
            return "fees", late_ms(rng, 20 * HOUR_MS, 0.6)
        if drawn > 0.993:
            return "duplicate_charge", late_ms(rng, 5 * HOUR_MS, 0.9)
        if drawn > 0.990:  # forgotten, not fraud
            return "unrecognised_charge", late_ms(rng, 24 * HOUR_MS, 0.7)
        return None

    def _open(self, at_ms: int, customer: Customer, category: str, about: Payment | None) -> None:
        rng = self._rng
        self._count += 1
        ticket_id = f"{self._prefix}-k{self._count}"
        writer = self._writers[customer.language]
        known = {}
        if about is not None:
            known["amount"] = about.amount_text
            known["code"] = about.code
            if about.merchant is not None:
                known["merchant"] = about.merchant.name
        subject, text, pressure, mood = writer.ticket(category, known)
        level = _URGENCY[category] + pressure + (rng.random() < 0.06) - (rng.random() < 0.06)
        if about is not None and about.amount_minor > about.customer.minor(600):
            level += 1
        urgency = URGENCIES[min(max(level, 0), 3)]
        opened: dict[str, Any] = {
            "text": text, "channel": rng.choices(_CHANNELS, _CHANNEL_WEIGHTS)[0],
            "customer_tier": customer.tier,
        }  # fmt: skip
        if subject:
            opened["subject"] = subject
        if rng.random() < 0.8:
            opened["language"] = customer.language
        if about is not None and rng.random() < 0.75:
            opened["transaction_ids"] = [about.transaction_id]
            stake = {"amount_minor": about.amount_minor, "currency": about.currency}
            opened["amount_at_stake"] = stake
        self._truth.tickets[ticket_id] = category
        self._truth.urgencies[ticket_id] = urgency
        self._truth.moods[ticket_id] = mood
        self._say(at_ms, customer, ticket_id, "opened", **opened)
        self._hindsight.ticket(at_ms, customer.customer_id, ticket_id, category, urgency, mood)
        self._live(at_ms, customer, ticket_id, category, known, writer)

    def _live(
        self, at_ms: int, customer: Customer, ticket_id: str, category: str,
        known: dict[str, str], writer: Writer,
    ) -> None:  # fmt: skip
        rng = self._rng
        now = at_ms + late_ms(rng, 25 * MINUTE_MS, 0.8)
        if rng.random() < 0.4:
            self._say(now, customer, ticket_id, "status_changed", status="in_progress")
        if rng.random() < 0.4:
            now += late_ms(rng, 15 * MINUTE_MS, 0.8)
            text = writer.message(writer.book.agent, known)
            self._say(now, customer, ticket_id, "message", author="agent", text=text)
            if rng.random() < 0.4:
                self._say(
                    now + 1000, customer, ticket_id, "status_changed", status="waiting_customer"
                )
        if rng.random() < 0.3:
            now += late_ms(rng, 70 * MINUTE_MS, 1.0)
            text = writer.message(writer.book.replies, known)
            self._say(now, customer, ticket_id, "message", author="customer", text=text)
        if rng.random() < 0.85:  # the rest stays open: somebody has to look at a queue
            now += late_ms(rng, 9 * HOUR_MS, 0.9)
            resolution = (
                {"resolution": f"{category}-{rng.choice('abc')}"} if rng.random() < 0.7 else {}
            )
            self._say(now, customer, ticket_id, "closed", **resolution)

    def _say(
        self, at_ms: int, customer: Customer, ticket_id: str, kind: str, **fields: Any
    ) -> None:
        self._events += 1
        event = {
            "event_id": f"{self._prefix}-e{self._events}", "customer_id": customer.customer_id,
            "occurred_at": moment(at_ms), "type": f"ticket.{kind}", "ticket_id": ticket_id,
            **fields,
        }  # fmt: skip
        self._agenda.publish(at_ms, TICKETS.name, event)
