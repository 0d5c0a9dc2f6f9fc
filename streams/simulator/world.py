"""The simulated company's world: countries and regions, merchants, customers and their habits."""

from dataclasses import dataclass, field
from random import Random
from typing import Final

from streams.simulator.writing import card_number

COUNTRIES: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "DE": ("EUR", "en", ("de-north", "de-south", "de-east")),
    "GB": ("GBP", "en", ("gb-london", "gb-north")),
    "FR": ("EUR", "en", ("fr-paris", "fr-south")),
    "PL": ("PLN", "en", ("pl-central",)),
    "CN": ("CNY", "zh", ("cn-east", "cn-south", "cn-north")),
    "US": ("USD", "en", ("us-east", "us-west")),
}
"""Country to currency, the language most customers write in, and regions."""

_COUNTRY_WEIGHTS: Final = {"DE": 28, "GB": 18, "FR": 10, "PL": 8, "CN": 26, "US": 10}
_UNIT: Final = {"EUR": 1.0, "GBP": 0.85, "PLN": 4.3, "CNY": 7.8, "USD": 1.1}
"""How many units of a currency buy what one euro buys."""

_TRADES: Final = (  # MCC, channel, middle amount in euros, weight, names
    ("5411", "pos", 28.0, 30, ("Fresh Market", "Corner Foods", "Daily Basket")),
    ("5812", "pos", 24.0, 16, ("Trattoria Sole", "Noodle House", "The Green Table")),
    ("5541", "pos", 48.0, 10, ("FuelStop", "Highway Energy")),
    ("4111", "wallet", 4.0, 12, ("City Transit", "Metro Line")),
    ("5651", "pos", 62.0, 8, ("Linen & Co", "Urban Thread")),
    ("5732", "ecommerce", 140.0, 6, ("Gadget Harbour", "Pixel Store")),
    ("5968", "recurring", 11.0, 6, ("StreamBox", "SoundCloud Nine", "DailyNews")),
    ("5942", "ecommerce", 32.0, 8, ("PageTurner", "BookNest")),
    ("4722", "ecommerce", 260.0, 3, ("FlyAway Travel", "SunTrips")),
    ("5816", "ecommerce", 9.0, 5, ("GamePort", "PlayCredits")),
    ("6011", "atm", 120.0, 9, ("Cash Point", "Bank Machine")),
)


@dataclass(frozen=True, slots=True)
class Merchant:
    """One merchant; ``terminals`` is empty for online trade."""

    merchant_id: str
    name: str
    mcc: str
    channel: str
    country: str
    region: str
    middle_eur: float
    terminals: tuple[str, ...]


@dataclass(slots=True)
class Customer:
    """One customer and the habits that payments follow.

    Args:
        pace: Payments a day.
        hours: Weight of each UTC hour, the greatest is 1.
        scale: How far the customer's amounts lie above the middle ones.
        spread: Standard deviation of the amount's logarithm.
        devices: Known devices, the newest last; fraud makes none of them.
    """

    customer_id: str
    country: str
    region: str
    currency: str
    language: str
    tier: str
    card: str
    pace: float
    hours: tuple[float, ...]
    scale: float
    spread: float
    transfers: float
    favourites: tuple[Merchant, ...]
    devices: list[str] = field(default_factory=list)

    def minor(self, euros: float) -> int:
        """Give euros as minor units of the customer's currency, at least 1."""
        return max(1, round(euros * _UNIT[self.currency] * 100))


@dataclass(frozen=True, slots=True)
class World:
    """All merchants (by region and online) and customers."""

    merchants: tuple[Merchant, ...]
    by_region: dict[str, tuple[Merchant, ...]]
    online: tuple[Merchant, ...]
    customers: tuple[Customer, ...]


def build(rng: Random, customers_count: int) -> World:
    """Make a world with so many customers and a quarter as many merchants (at least 60)."""
    merchants = tuple(_merchant(rng, number) for number in range(max(60, customers_count // 4)))
    online = tuple(m for m in merchants if not m.terminals)
    by_region: dict[str, tuple[Merchant, ...]] = {}
    for _, _, regions in COUNTRIES.values():
        for region in regions:
            here = tuple(m for m in merchants if m.terminals and m.region == region)
            by_region[region] = here or tuple(m for m in merchants if m.terminals)
    customers = tuple(
        _customer(rng, number, by_region, online) for number in range(customers_count)
    )
    return World(merchants, by_region, online, customers)


def _place(rng: Random) -> tuple[str, str]:
    country = rng.choices(list(_COUNTRY_WEIGHTS), list(_COUNTRY_WEIGHTS.values()))[0]
    return country, rng.choice(COUNTRIES[country][2])


def _merchant(rng: Random, number: int) -> Merchant:
    trade = rng.choices(_TRADES, [trade[3] for trade in _TRADES])[0]
    mcc, channel, middle, _, names = trade
    country, region = _place(rng)
    merchant_id = f"m{number:05d}"
    count = rng.randint(1, 3) if channel in ("pos", "atm", "wallet") else 0
    return Merchant(
        merchant_id, f"{rng.choice(names)} {number}", mcc, channel, country, region,
        middle * rng.lognormvariate(0, 0.25), tuple(f"{merchant_id}-t{i}" for i in range(count)),
    )  # fmt: skip


def _customer(
    rng: Random, number: int, by_region: dict[str, tuple[Merchant, ...]],
    online: tuple[Merchant, ...],
) -> Customer:  # fmt: skip
    country, region = _place(rng)
    currency, language, _ = COUNTRIES[country]
    if language == "zh" and rng.random() < 0.08:
        language = "en"
    peak, evening = rng.gauss(11, 2), rng.gauss(18, 1.5)
    hours = [
        0.05 + max(0.0, 1 - abs(hour - peak) / 5) + max(0.0, 1 - abs(hour - evening) / 4)
        for hour in range(24)
    ]
    top = max(hours)
    near = by_region[region]
    favourites = [rng.choice(near) for _ in range(rng.randint(4, 8))]
    favourites += [rng.choice(online or near) for _ in range(rng.randint(1, 4))]
    customer_id = f"c{number:06d}"
    return Customer(
        customer_id, country, region, currency, language,
        rng.choices(("standard", "premium", "business"), (80, 14, 6))[0],
        card_number(rng) if rng.random() < 0.1 else f"card-{rng.randrange(16**12):012x}",
        rng.lognormvariate(0.6, 0.6),
        tuple(weight / top for weight in hours), rng.lognormvariate(0, 0.45),
        rng.uniform(0.35, 0.85), rng.betavariate(1, 12), tuple(favourites),
        [f"{customer_id}-d{i}" for i in range(rng.randint(1, 2))],
    )  # fmt: skip
