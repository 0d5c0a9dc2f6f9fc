"""Publishes events at a fixed rate: ``python -m … (fixed_job | company) RATE COUNT FIRST``.

Kafka's timestamp of each is the moment at which it was handed to the client.
"""

import sys
import time
from collections.abc import Iterator
from itertools import islice

from models.fixed_job.payloads import payloads
from schemas.registry import TRANSACTIONS
from streams.bench.engines.ending import Signalled, end_with_owner
from streams.kafka import make_producer
from streams.settings import load
from streams.simulator.company import company
from streams.simulator.schedule import Scheduled

CUSTOMERS = 5_000
SEED = 2
COMPANY_SEED, COMPANY_EVENTS, COMPANY_DAYS = 1, 150_000, 12.5
START_MS = 1_772_409_600_000


def company_events() -> Iterator[Scheduled]:
    """Give the simulated company's events, always the same."""
    return company(COMPANY_SEED, COMPANY_EVENTS, START_MS, COMPANY_DAYS)


def events(what: str, first: int, count: int) -> list[tuple[str, bytes, bytes]]:
    """Give topic, key and value of ``count`` events from number ``first`` on.

    Args:
        what: ``fixed_job`` or ``company``.
        first: Number of the first.
        count: How many, at the most.
    """
    if what == "company":
        scheduled = islice(company_events(), first, first + count)
        return [(each.topic, each.key.encode(), each.value) for each in scheduled]
    made = islice(payloads(SEED, first + count, CUSTOMERS), first, None)
    return [(TRANSACTIONS.name, key, value) for key, value in made]


def main(what: str, per_s: float, count: int, first: int) -> None:
    """Publish until all is published or a signal comes.

    Args:
        what: ``fixed_job`` or ``company``.
        per_s: Events a second.
        count: How many events.
        first: Number of the first event.
    """
    producer = make_producer(load().kafka)
    ready = events(what, first, count)
    asked, began = Signalled(), time.perf_counter()
    for number, (topic, key, value) in enumerate(ready):
        early_s = began + number / per_s - time.perf_counter()
        if early_s > 0:
            time.sleep(early_s)
        if asked:
            break
        producer.produce(topic, value, key)
        producer.poll(0)
    producer.flush(30)


if __name__ == "__main__":
    end_with_owner()
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
