"""The fixed job's functions alone: ``python -m … (SECONDS | COUNTER)``.

No Kafka, no threads: the transactions lie in memory, states in a dict. For a number of seconds it
prints ``events wall_s cpu_s``; given the path of a counter, it runs until a signal and keeps in
there how many events it has done.
"""

import os
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from models.fixed_job.job import Customer, FixedJob
from models.fixed_job.payloads import payloads
from streams.bench.engines.ending import Signalled, end_with_owner

EVENTS, CUSTOMERS, SEED = 20_000, 5_000, 1
WARM_UP_EVENTS = 5_000
STEP_EVENTS = 200


def read_count(counter: Path) -> int:
    """Give how many events a floor has done; 0 before it is warm."""
    return int.from_bytes(counter.read_bytes()) if counter.exists() else 0


def answers() -> Callable[[int], None]:
    """Give what answers so many events; warm."""
    job = FixedJob()
    customers: dict[bytes, Customer] = {}
    events = cycle(list(payloads(SEED, EVENTS, CUSTOMERS)))

    def answer(count: int) -> None:
        for key, raw in islice(events, count):
            customers[key], _ = job.answer(raw, customers.get(key))

    answer(WARM_UP_EVENTS)
    return answer


def run_for(seconds: float) -> None:
    """Answer for so long, and say how many and at what CPU."""
    answer = answers()
    began_at, began_s, done = time.perf_counter(), time.process_time(), 0
    while (wall_s := time.perf_counter() - began_at) < seconds:
        answer(STEP_EVENTS)
        done += STEP_EVENTS
    print(done, wall_s, time.process_time() - began_s, flush=True)


def run_on(counter: Path) -> None:
    """Answer until a signal, and keep the count in a file."""
    asked, answer, done = Signalled(), answers(), 0
    with counter.open("wb", buffering=0) as file:
        while not asked:
            answer(STEP_EVENTS)
            done += STEP_EVENTS
            os.pwrite(file.fileno(), done.to_bytes(8), 0)


if __name__ == "__main__":
    if sys.argv[1].replace(".", "").isdigit():
        run_for(float(sys.argv[1]))
    else:
        end_with_owner()
        run_on(Path(sys.argv[1]))
