"""The simulated payment company: one seed, one schedule, the same bytes everywhere."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Final

from streams.simulator.fraud import FRAUDS_PER_CAMPAIGN, Fraud
from streams.simulator.hindsight import Hindsight
from streams.simulator.ledger import Ledger, Outage
from streams.simulator.payments import DAY_MS, HOUR_MS, Payments
from streams.simulator.phrases_en import ENGLISH
from streams.simulator.phrases_zh import CHINESE
from streams.simulator.schedule import Agenda, Scheduled, Truth
from streams.simulator.support import Support
from streams.simulator.world import build
from streams.simulator.writing import Writer

TRANSACTION_SHARE: Final = 0.70
"""Share of transactions among all events, measured; the rest follows from them."""

OUTAGE_HOURS: Final = 7


def company(
    seed: int,
    events: int,
    start_ms: int,
    days: float = 12.0,
    *,
    fraud_share: float = 0.014,
    truth: Truth | None = None,
) -> Iterator[Scheduled]:
    """Simulate a payment company.

    Gives exactly ``events`` events over about ``days`` days, in the order of their event time,
    made one by one: memory grows with the customers and with the feedback still to come. The
    outage, in the region with the most customers, begins on the day at six tenths, 08:00 UTC; the
    fraud pattern changes half-way.

    Args:
        seed: The same seed gives the same bytes.
        events: How many events, > 0.
        start_ms: When it begins, milliseconds since the epoch.
        days: How many simulated days the events fill, about.
        fraud_share: Wanted share of frauds among transactions, about.
        truth: Filled while iterating.
    """
    truth = Truth() if truth is None else truth
    prefix = f"s{seed}"
    transactions_a_day = TRANSACTION_SHARE * events / days
    world = build(Random(f"{seed}:world"), max(20, round(transactions_a_day / 2)))
    speed = transactions_a_day / sum(customer.pace for customer in world.customers)
    outage_ms = (start_ms + int(days * 0.6 * DAY_MS)) // DAY_MS * DAY_MS + 8 * HOUR_MS
    regions = Counter(customer.region for customer in world.customers)
    outage = Outage(regions.most_common(1)[0][0], outage_ms, outage_ms + OUTAGE_HOURS * HOUR_MS)
    mean_gap_ms = DAY_MS / transactions_a_day

    agenda = Agenda()
    ledger = Ledger(agenda, Random(f"{seed}:ledger"), truth, prefix, outage)
    payments = Payments(agenda, Random(f"{seed}:payments"), world, ledger, speed)
    fraud = Fraud(
        agenda, Random(f"{seed}:fraud"), world, ledger,
        mean_gap_ms * FRAUDS_PER_CAMPAIGN / fraud_share, start_ms + int(days * DAY_MS / 2),
    )  # fmt: skip
    hindsight = Hindsight(agenda, Random(f"{seed}:hindsight"), prefix)
    writers = {
        book.language: Writer(book, Random(f"{seed}:writer:{book.language}"))
        for book in (ENGLISH, CHINESE)
    }
    support = Support(
        agenda, Random(f"{seed}:support"), world, writers, hindsight, truth, prefix,
        mean_gap_ms / 0.06,
    )  # fmt: skip
    ledger.witnesses += [fraud.witness, hindsight.witness, support.witness]
    for part in (payments, fraud, support):
        part.start(start_ms)
    return islice(agenda.run(), events)
