"""The fixed job on Quix Streams with its state in RocksDB and a changelog: ``python -m … OUTPUT``.

As its documentation has it: ``apply(stateful=True)``, at least once, a checkpoint every 5 s.
"""

import sys
from typing import Any

from quixstreams import Application

from models.fixed_job.job import FixedJob
from schemas.registry import TRANSACTIONS
from streams.bench.engines.ending import end_with_owner
from streams.settings import load


def main(output: str) -> None:
    """Run until a signal."""
    settings, job = load(), FixedJob()
    app = Application(
        broker_address=settings.kafka.bootstrap,
        consumer_group=f"{output}-group",
        auto_offset_reset="earliest",
        state_dir=settings.state_dir,
        loglevel="WARNING",
        producer_extra_config={"linger.ms": 5, "compression.type": "lz4"},
    )
    taken = app.topic(TRANSACTIONS.name, key_deserializer="bytes", value_deserializer="bytes")
    given = app.topic(output, key_serializer="bytes", value_serializer="bytes")

    def answer(raw: bytes, state: Any) -> bytes:
        customer, record = job.answer(raw, state.get("customer"))
        state.set("customer", customer)
        return record

    app.dataframe(taken).apply(answer, stateful=True).to_topic(given)
    app.run()


if __name__ == "__main__":
    end_with_owner()
    main(sys.argv[1])
