"""The fixed job on Bytewax with its recovery store in SQLite: ``python -m … OUTPUT``.

As its documentation has it: ``stateful_map`` and a recovery configuration. An epoch, and so a
snapshot of what changed, every 5 s (its default is 10 s; 5 s is what Quix Streams has).
"""

import sys
from datetime import timedelta
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from models.fixed_job.job import FixedJob
from schemas.registry import TRANSACTIONS
from streams.bench.engines.ending import end_with_owner
from streams.settings import load

EPOCH = timedelta(seconds=5)
BATCH_RECORDS = 500


def main(output: str) -> None:
    """Run until a signal."""
    settings, job = load(), FixedJob()
    brokers = [settings.kafka.bootstrap]

    def answer(customer: Any, raw: bytes) -> tuple[Any, bytes]:
        return job.answer(raw, customer)

    flow = Dataflow("bench")
    taken = kop.input(
        "take", flow, brokers=brokers, topics=[TRANSACTIONS.name], batch_size=BATCH_RECORDS
    )
    keyed = op.map("key", taken.oks, lambda message: (message.key.decode(), message.value))
    decided = op.stateful_map("decide", keyed, answer)
    records = op.map("record", decided, lambda pair: KafkaSinkMessage(pair[0].encode(), pair[1]))
    config = {"linger.ms": "5", "compression.type": "lz4"}
    kop.output("give", records, brokers=brokers, topic=output, add_config=config)
    recovery = settings.state_dir / "recovery"
    recovery.mkdir(parents=True, exist_ok=True)
    init_db_dir(recovery, 1)
    cli_main(flow, epoch_interval=EPOCH, recovery_config=RecoveryConfig(recovery))


if __name__ == "__main__":
    end_with_owner()
    main(sys.argv[1])
