"""The transactions that the fixed job decides about: 357 bytes each, from a seed."""

from collections.abc import Iterator
from random import Random

from schemas.base import moment
from schemas.codec import encode

EVENT_BYTES = 357
START_MS = 1_772_409_600_000
EVENT_EVERY_MS = 25
"""Event time between two transactions."""

COUNTRIES = ("DE", "FR", "NL", "PL", "CN", "US")
CURRENCIES = ("EUR", "USD", "CNY")
MCCS = ("5411", "5812", "5732", "4829", "6011", "7995")


def payloads(seed: int, count: int, customers: int) -> Iterator[tuple[bytes, bytes]]:
    """Give keys and values of transactions, in order of their event time.

    Args:
        seed: Equal seeds, equal bytes.
        count: How many, < 10**8.
        customers: How many customers there are, 1 to 10**6; all are alike active.
    """
    rng = Random(seed)
    for number in range(count):
        name = f"{number:08d}"
        customer_id = f"c{rng.randrange(customers):06d}"
        declined = rng.random() < 0.05
        event = {
            "event_id": f"e{name}",
            "customer_id": customer_id,
            "occurred_at": moment(START_MS + number * EVENT_EVERY_MS),
            "type": "transaction",
            "transaction_id": f"t{name}",
            "amount_minor": min(99_999, 10_000 + int(rng.expovariate(1 / 8_000))),
            "currency": rng.choice(CURRENCIES),
            "outcome": "declined" if declined else "approved",
            "response_code": "05" if declined else "00",
            "channel": rng.choice(("pos", "atm", "wallet")),
            "merchant_id": f"m{rng.randrange(500):04d}",
            "terminal_id": f"k{rng.randrange(2_000):05d}",
            "mcc": rng.choice(MCCS),
            "country": rng.choice(COUNTRIES),
            "device_id": "d",
        }
        event["device_id"] = "d" * (1 + EVENT_BYTES - len(encode(event)))
        yield customer_id.encode(), encode(event)
