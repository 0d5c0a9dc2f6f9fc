"""Fraud: card testing, stolen cards, compromised terminals, account takeovers.

Half-way the pattern changes: testing becomes slow and is approved, thieves imitate the customer's
amounts and country, and takeovers become the most frequent kind.
"""

from random import Random
from typing import Final

from streams.simulator.ledger import Ledger, Order, Payment
from streams.simulator.payments import DAY_MS, HOUR_MS
from streams.simulator.schedule import Agenda
from streams.simulator.world import Customer, World

FRAUDS_PER_CAMPAIGN: Final = 4.7
"""Measured mean, for turning a wanted share of frauds into a rate of campaigns."""

_KINDS: Final = ("card_testing", "stolen_card", "compromised_terminal", "account_takeover")
_EARLY: Final = (34, 40, 12, 14)
_LATE: Final = (18, 26, 12, 44)
_FAR: Final = ("BR", "NG", "RU", "TH", "US", "RO")


class Fraud:
    """Plans campaigns as a Poisson process and carries them out.

    Args:
        agenda: The future.
        rng: Draws victims, kinds and amounts.
        world: Whom to rob.
        ledger: Books the frauds; this object must be one of its witnesses.
        gap_ms: Mean time between campaigns.
        change_ms: When the pattern changes.
    """

    def __init__(
        self, agenda: Agenda, rng: Random, world: World, ledger: Ledger, gap_ms: float,
        change_ms: int,
    ) -> None:  # fmt: skip
        self._agenda = agenda
        self._rng = rng
        self._world = world
        self._ledger = ledger
        self._gap_ms = gap_ms
        self._change_ms = change_ms
        self._skimmers: dict[str, tuple[int, int]] = {}  # terminal: until_ms, victims left

    def start(self, start_ms: int) -> None:
        """Plan the first campaign."""
        self._agenda.plan(start_ms + self._gap(), self._campaign)

    def witness(self, payment: Payment) -> None:
        """Skim the card if the terminal is compromised."""
        if payment.terminal_id is None or payment.fraud is not None:
            return
        until_ms, left = self._skimmers.get(payment.terminal_id, (0, 0))
        if payment.at_ms >= until_ms or left == 0 or self._rng.random() > 0.6:
            return
        self._skimmers[payment.terminal_id] = until_ms, left - 1
        at_ms = payment.at_ms + int(self._rng.uniform(4, 60) * HOUR_MS)
        for _ in range(self._rng.randint(1, 3)):
            self._agenda.plan(at_ms, lambda at: self._skimmed(at, payment.customer))
            at_ms += int(self._rng.uniform(0.1, 5) * HOUR_MS)

    def _gap(self) -> int:
        return 1 + int(self._rng.expovariate(1 / self._gap_ms))

    def _campaign(self, at_ms: int) -> None:
        late = at_ms >= self._change_ms
        kind = self._rng.choices(_KINDS, _LATE if late else _EARLY)[0]
        victim = self._rng.choice(self._world.customers)
        match kind:
            case "card_testing":
                self._card_testing(at_ms, victim, late)
            case "stolen_card":
                self._stolen_card(at_ms, victim, late)
            case "compromised_terminal":
                self._compromise(at_ms, victim)
            case _:
                self._takeover(at_ms, victim, late)
        self._agenda.plan(at_ms + self._gap(), self._campaign)

    def _try(self, at_ms: int, order: Order) -> None:
        self._agenda.plan(at_ms, lambda at: self._book(at, order))

    def _book(self, at_ms: int, order: Order) -> None:
        self._ledger.pay(at_ms, order)

    def _device(self) -> str:
        return f"x-{self._rng.randrange(16**8):08x}"

    def _decline(self, chance: float) -> str | None:
        codes = ("05", "14", "82", "51", "63")
        return self._rng.choice(codes) if self._rng.random() < chance else None

    def _card_testing(self, at_ms: int, victim: Customer, late: bool) -> None:
        rng, device = self._rng, self._device()
        for _ in range(rng.randint(2, 5) if late else rng.randint(3, 9)):
            order = Order(
                victim, rng.choice(self._world.online),
                victim.minor(rng.uniform(2, 9) if late else rng.uniform(0.3, 3)),
                "wallet" if late else "ecommerce", device,
                decline=self._decline(0.2 if late else 0.55), fraud="card_testing",
            )  # fmt: skip
            self._try(at_ms, order)
            at_ms += int(rng.uniform(0.1, 1.5) * HOUR_MS) if late else rng.randint(8_000, 120_000)
        if rng.random() < 0.5:
            euros = victim.scale * rng.uniform(60, 300)
            online = rng.choice(self._world.online)
            self._try(
                at_ms + HOUR_MS // 2,
                Order(
                    victim, online, victim.minor(euros), "ecommerce", device,
                    decline=self._decline(0.2), fraud="card_testing",
                ),
            )  # fmt: skip

    def _stolen_card(self, at_ms: int, victim: Customer, late: bool) -> None:
        rng = self._rng
        device = victim.devices[-1] if late and rng.random() < 0.3 else self._device()
        country = None if late else rng.choice(_FAR)
        for _ in range(rng.randint(1, 5)):
            merchant = rng.choice(
                self._world.by_region[victim.region] if late else self._world.merchants
            )
            factor = rng.uniform(2, 7) if late else rng.uniform(2.5, 14)
            euros = victim.scale * 45 * factor
            in_person = merchant.channel in ("pos", "atm")
            order = Order(
                victim, merchant, victim.minor(euros), merchant.channel,
                None if in_person else device, country,
                self._decline(0.15 if late else 0.3), "stolen_card",
            )  # fmt: skip
            self._try(at_ms, order)
            at_ms += int(rng.expovariate(1 / 1.5) * HOUR_MS) + 60_000

    def _compromise(self, at_ms: int, near: Customer) -> None:
        here = [m for m in near.favourites if m.terminals]
        if not here:
            return
        merchant = self._rng.choice(here)
        until_ms = at_ms + int(self._rng.uniform(1.5, 4) * DAY_MS)
        for terminal in merchant.terminals:
            self._skimmers[terminal] = until_ms, self._rng.randint(2, 5)

    def _skimmed(self, at_ms: int, victim: Customer) -> None:
        rng = self._rng
        merchant = rng.choice(self._world.by_region[rng.choice(sorted(self._world.by_region))])
        order = Order(
            victim, merchant, victim.minor(victim.scale * rng.uniform(40, 320)), merchant.channel,
            decline=self._decline(0.2), fraud="compromised_terminal",
        )  # fmt: skip
        self._ledger.pay(at_ms, order)

    def _takeover(self, at_ms: int, victim: Customer, late: bool) -> None:
        rng, device = self._rng, self._device()
        for _ in range(rng.randint(2, 5)):
            euros = victim.scale * (rng.uniform(150, 900) if late else rng.uniform(300, 1800))
            order = Order(
                victim, None, victim.minor(euros), "transfer", device,
                decline=self._decline(0.12), fraud="account_takeover",
            )  # fmt: skip
            self._try(at_ms, order)
            at_ms += rng.randint(90_000, 2_400_000)
