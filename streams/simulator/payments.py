"""Ordinary payments: every customer pays by habit, and sometimes in a way that looks odd."""

from random import Random
from typing import Final

from streams.simulator.ledger import Ledger, Order, Payment
from streams.simulator.schedule import Agenda
from streams.simulator.world import COUNTRIES, Customer, Merchant, World

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

AWAY_SHARE = 0.012
"""Share of ordinary payments made abroad."""
SPLURGE_SHARE = 0.02
"""Share of ordinary payments that are far larger than usual."""
NEW_DEVICE_SHARE = 0.004
STRANGE_MERCHANT_SHARE = 0.22
DOUBLE_SHARE = 0.004


class Payments:
    """Plans each customer's next payment after the last one.

    Args:
        agenda: The future.
        rng: Draws times, places and amounts.
        world: Who pays where.
        ledger: Books the payments.
        speed: Multiplies every customer's pace.
    """

    def __init__(
        self, agenda: Agenda, rng: Random, world: World, ledger: Ledger, speed: float
    ) -> None:
        self._agenda = agenda
        self._rng = rng
        self._world = world
        self._ledger = ledger
        self._speed = speed

    def start(self, start_ms: int) -> None:
        """Plan the first payment of every customer."""
        for customer in self._world.customers:
            self._plan_next(start_ms, customer)

    def _plan_next(self, now_ms: int, customer: Customer) -> None:
        rng = self._rng
        peak_rate = customer.pace * self._speed * 24 / sum(customer.hours) / DAY_MS
        at_ms = now_ms
        while True:  # thinning: a Poisson process whose rate follows the hours
            at_ms += 1 + int(rng.expovariate(peak_rate))
            if rng.random() < customer.hours[at_ms // HOUR_MS % 24]:
                break
        self._agenda.plan(at_ms, lambda at: self._pay(at, customer))

    def _pay(self, at_ms: int, customer: Customer) -> None:
        rng = self._rng
        payment = self._ledger.pay(at_ms, self._order(customer))
        if payment.merchant and payment.outcome == "approved" and rng.random() < DOUBLE_SHARE:
            again = self._again(payment)
            self._agenda.plan(
                at_ms + rng.randint(20_000, 180_000), lambda at: void(self._ledger.pay(at, again))
            )
        elif payment.outcome == "declined" and rng.random() < 0.4:
            again = self._again(payment)
            self._agenda.plan(
                at_ms + rng.randint(30_000, 900_000), lambda at: void(self._ledger.pay(at, again))
            )
        self._plan_next(at_ms, customer)

    def _again(self, payment: Payment) -> Order:
        merchant = payment.merchant
        channel = merchant.channel if merchant else "transfer"
        return Order(payment.customer, merchant, payment.amount_minor, channel)

    def _order(self, customer: Customer) -> Order:
        rng = self._rng
        if rng.random() < NEW_DEVICE_SHARE:
            customer.devices.append(f"{customer.customer_id}-d{len(customer.devices)}")
        device = customer.devices[-1] if rng.random() < 0.8 else rng.choice(customer.devices)
        if rng.random() < customer.transfers:
            euros = customer.scale * rng.lognormvariate(5.0, 0.9)
            return Order(customer, None, customer.minor(euros), "transfer", device)
        merchant = self._merchant(customer)
        euros = merchant.middle_eur * customer.scale * rng.lognormvariate(0, customer.spread)
        if rng.random() < SPLURGE_SHARE:
            euros *= rng.uniform(4, 12)
        if merchant.channel == "atm":
            euros = max(20.0, round(euros / 10) * 10)
        shown = device if merchant.channel in ("ecommerce", "wallet", "recurring") else None
        return Order(customer, merchant, customer.minor(euros), merchant.channel, shown)

    def _merchant(self, customer: Customer) -> Merchant:
        rng = self._rng
        if rng.random() < AWAY_SHARE:
            region = rng.choice(COUNTRIES[rng.choice(sorted(COUNTRIES))][2])
            return rng.choice(self._world.by_region[region])
        if rng.random() < STRANGE_MERCHANT_SHARE:
            here = self._world.by_region[customer.region]
            return rng.choice(here if rng.random() < 0.6 else self._world.online or here)
        # the earlier in the list, the more often
        return customer.favourites[int(len(customer.favourites) * rng.random() ** 1.7)]


def void(_: object) -> None:
    """Drop a result."""
