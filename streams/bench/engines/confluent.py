"""The fixed job in a bare loop on confluent-kafka: ``python -m … OUTPUT [CHANGELOG]``.

State in a dict that is lost with the process; with a changelog topic each new state is written
there too. At least once: offsets are committed every second, after a flush.
"""

import sys
import time

from confluent_kafka import Consumer, Producer

from models.fixed_job.job import Customer, FixedJob
from schemas.codec import encode
from schemas.registry import TRANSACTIONS
from streams.bench.engines.ending import Signalled, end_with_owner
from streams.settings import load

BATCH_RECORDS = 500
WAIT_S = 0.005
COMMIT_EVERY_S = 1.0


def main(output: str, changelog: str | None) -> None:
    """Run until a signal.

    Args:
        output: Topic of the decisions.
        changelog: Topic of the states, if there is to be one.
    """
    bootstrap = load().kafka.bootstrap
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{output}-group",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 2,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 5,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 200_000,
            "log_level": 2,
        }
    )
    consumer.subscribe([TRANSACTIONS.name])
    job, asked = FixedJob(), Signalled()
    customers: dict[bytes, Customer] = {}
    committed_at = time.monotonic()
    while not asked:
        for message in consumer.consume(BATCH_RECORDS, WAIT_S):
            key, raw = message.key(), message.value()
            if message.error() is not None or key is None or raw is None:
                continue
            customers[key], record = job.answer(raw, customers.get(key))
            producer.produce(output, record, key, message.partition() or 0)
            if changelog is not None:
                producer.produce(changelog, encode(customers[key]), key, message.partition() or 0)
        producer.poll(0)
        if time.monotonic() - committed_at > COMMIT_EVERY_S:
            committed_at = time.monotonic()
            producer.flush()
            if consumer.assignment():
                consumer.commit(asynchronous=True)
    producer.flush()
    consumer.close()


if __name__ == "__main__":
    end_with_owner()
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
