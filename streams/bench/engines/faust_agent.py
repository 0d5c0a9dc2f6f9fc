"""The fixed job in a plain Faust agent with a table: ``python -m … OUTPUT``.

As its documentation has it: one event at a time, a table with its changelog, an awaited send.
"""

import sys

import faust
from faust.types import StreamT

from models.fixed_job.job import FixedJob
from schemas.registry import TRANSACTIONS
from streams.bench.engines.ending import end_with_owner
from streams.settings import load


def main(output: str) -> None:
    """Run until a signal; does not return."""
    settings, job = load(), FixedJob()
    app = faust.App(
        f"{output}-group",
        broker=f"kafka://{settings.kafka.bootstrap}",
        datadir=str(settings.state_dir),
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=settings.topics.partitions,
        topic_replication_factor=1,
        consumer_auto_offset_reset="earliest",
        producer_linger=0.005,
        stream_wait_empty=False,
        autodiscover=False,
    )
    taken = app.topic(TRANSACTIONS.name, key_type=str, value_type=bytes, value_serializer="raw")
    given = app.topic(output, key_type=str, value_type=bytes, value_serializer="raw")
    customers = app.Table("customers", partitions=settings.topics.partitions)

    @app.agent(taken)
    async def decide(transactions: StreamT[bytes]) -> None:
        async for customer_id, raw in transactions.items():
            customer, record = job.answer(raw, customers.get(customer_id))
            customers[customer_id] = customer
            await given.send(key=customer_id, value=record)

    faust.Worker(
        app, loglevel="ERROR", quiet=True, redirect_stdouts=False
    ).execute_from_commandline()


if __name__ == "__main__":
    end_with_owner()
    main(sys.argv[1])
