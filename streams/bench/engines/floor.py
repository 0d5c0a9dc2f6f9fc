"""The fixed job's functions alone: ``python -m … SECONDS`` prints ``events wall_s cpu_s``.

No Kafka, no threads: the transactions lie in memory, states in a dict.
"""

import sys
import time
from itertools import cycle, islice

from models.fixed_job.job import Customer, FixedJob
from models.fixed_job.payloads import payloads

EVENTS, CUSTOMERS, SEED = 20_000, 5_000, 1
WARM_UP_EVENTS = 5_000
STEP_EVENTS = 1_000


def main(seconds: float) -> None:
    """Answer for so long, and say how many and at what CPU."""
    job = FixedJob()
    customers: dict[bytes, Customer] = {}
    events = cycle(list(payloads(SEED, EVENTS, CUSTOMERS)))

    def answer(count: int) -> None:
        for key, raw in islice(events, count):
            customers[key], _ = job.answer(raw, customers.get(key))

    answer(WARM_UP_EVENTS)
    began_at, began_s, done = time.perf_counter(), time.process_time(), 0
    while (wall_s := time.perf_counter() - began_at) < seconds:
        answer(STEP_EVENTS)
        done += STEP_EVENTS
    print(done, wall_s, time.process_time() - began_s, flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]))
