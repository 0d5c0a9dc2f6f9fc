"""Reads and writes as much as an engine, and decides nothing: ``python -m … OUTPUT RATE WHAT``.

The floor is measured beside it, so that the broker is as busy then as beside an engine. WHAT is
``fixed_job``, or ``company``: then it reads and writes what is on the journal when it starts.
"""

import sys
import time
from itertools import cycle

from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.registry import JOURNAL, TRANSACTIONS
from streams.bench.engines.ending import Signalled, end_with_owner
from streams.settings import load

RECORD = b"0" * 393
TURN_S = 0.02
SAMPLE_S = 1.0
SAMPLE_RECORDS = 2_000


def main(output: str, per_s: float, what: str) -> None:
    """Run until a signal.

    Args:
        output: A topic for records that nobody needs.
        per_s: Records a second.
        what: Whose records.
    """
    settings = load()
    shared = {"bootstrap.servers": settings.kafka.bootstrap, "log_level": 2}
    consumer = Consumer(shared | {"group.id": "pump", "enable.auto.commit": False})
    producer = Producer(shared | {"compression.type": "lz4", "linger.ms": 5})
    partitions = range(settings.topics.partitions)
    source = JOURNAL.name if what == "company" else TRANSACTIONS.name
    start = [TopicPartition(source, number, 0) for number in partitions]
    consumer.assign(start)
    records = [RECORD]
    if what == "company":
        records = [each.value() or b"" for each in consumer.consume(SAMPLE_RECORDS, SAMPLE_S)]
    values = cycle(records)
    asked, due, last_at = Signalled(), 0.0, time.monotonic()
    while not asked:
        now = time.monotonic()
        due, last_at = min(due + (now - last_at) * per_s, per_s), now
        taken = consumer.consume(int(due), TURN_S / 4) if due >= 1 else []
        for number in range(len(taken)):
            producer.produce(output, next(values), partition=number % len(partitions))
        producer.poll(0)
        due -= len(taken)
        if not taken and due > per_s / 2:  # the end: from the beginning again
            consumer.assign(start)
        time.sleep(TURN_S)


if __name__ == "__main__":
    end_with_owner()
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3])
