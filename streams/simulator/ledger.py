"""Books payments: the one place where the simulated company's transactions are made."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.base import moment
from schemas.registry import TRANSACTIONS
from streams.simulator.schedule import Agenda, Truth
from streams.simulator.world import COUNTRIES, Customer, Merchant

# Honest people mistype a card number or its code, too (14, 63, 82).
DECLINES = (
    ("51", 53), ("05", 15), ("55", 10), ("61", 8), ("54", 5), ("65", 4), ("91", 3), ("14", 3),
    ("82", 2), ("63", 1),
)  # fmt: skip
"""Response codes (ISO 8583 DE 39) of ordinary declines and their weights."""

DECLINED_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Outage:
    """Terminals of one region fail from ``from_ms`` until ``to_ms``."""

    region: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A booked payment, as those who react to it see it."""

    transaction_id: str
    at_ms: int
    customer: Customer
    merchant: Merchant | None
    amount_minor: int
    currency: str
    outcome: str
    code: str
    terminal_id: str | None
    fraud: str | None
    in_outage: bool

    @property
    def amount_text(self) -> str:
        """The amount as people write it."""
        return f"{self.amount_minor / 100:.2f} {self.currency}"


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody tries to pay; what is left out follows from customer and merchant."""

    customer: Customer
    merchant: Merchant | None
    amount_minor: int
    channel: str
    device_id: str | None = None
    country: str | None = None
    decline: str | None = None
    fraud: str | None = None


Witness = Callable[[Payment], None]


class Ledger:
    """Books payments and tells the witnesses about each.

    Args:
        agenda: Where the events go.
        rng: Decides about declines.
        truth: Learns which payment was fraud.
        prefix: Begins every transaction id.
        outage: When and where terminals fail.
    """

    def __init__(
        self, agenda: Agenda, rng: Random, truth: Truth, prefix: str, outage: Outage
    ) -> None:
        self._agenda = agenda
        self._rng = rng
        self._truth = truth
        self._prefix = prefix
        self._outage = outage
        self._count = 0
        self.witnesses: list[Witness] = []

    def pay(self, at_ms: int, order: Order) -> Payment:
        """Book one payment attempt, publish it and tell the witnesses."""
        self._count += 1
        transaction_id = f"{self._prefix}-t{self._count}"
        customer, merchant = order.customer, order.merchant
        terminal = self._rng.choice(merchant.terminals) if merchant and merchant.terminals else None
        country = order.country or (merchant.country if merchant else customer.country)
        region = merchant.region if merchant and country == merchant.country else None
        outage = self._outage
        in_outage = (
            terminal is not None
            and region == outage.region
            and outage.from_ms <= at_ms < outage.to_ms
            and self._rng.random() < 0.85
        )
        outcome, code = self._outcome(order, in_outage)
        event: dict[str, Any] = {
            "event_id": transaction_id,
            "customer_id": customer.customer_id,
            "occurred_at": moment(at_ms),
            "type": "transaction",
            "transaction_id": transaction_id,
            "amount_minor": order.amount_minor,
            "currency": customer.currency,
            "outcome": outcome,
            "response_code": code,
            "channel": order.channel,
            "country": country,
            "card": customer.card,
        }
        optional = {
            "merchant_id": merchant.merchant_id if merchant else None,
            "terminal_id": terminal,
            "mcc": merchant.mcc if merchant else None,
            "region": region or COUNTRIES.get(country, ("", "", ("abroad",)))[2][0],
            "device_id": order.device_id,
        }
        event.update((name, value) for name, value in optional.items() if value is not None)
        self._truth.transactions[transaction_id] = order.fraud is not None
        if order.fraud is not None:
            self._truth.typologies[transaction_id] = order.fraud
        self._agenda.publish(at_ms, TRANSACTIONS.name, event)
        payment = Payment(
            transaction_id, at_ms, customer, merchant, order.amount_minor, customer.currency,
            outcome, code, terminal, order.fraud, in_outage,
        )  # fmt: skip
        for witness in self.witnesses:
            witness(payment)
        return payment

    def _outcome(self, order: Order, in_outage: bool) -> tuple[str, str]:
        rng = self._rng
        if in_outage:
            return "declined", "91" if rng.random() < 0.7 else "96"
        if order.decline is not None:
            return "declined", order.decline
        if order.fraud is None and rng.random() < DECLINED_SHARE:
            codes, weights = zip(*DECLINES, strict=True)
            return "declined", str(rng.choices(codes, weights)[0])
        if order.fraud is None and rng.random() < 0.004:
            return "reversed", "00"
        return "approved", "00"
