"""Outputs and positions in one Kafka transaction; the producer is dropped at the first doubt."""

from typing import Any, NamedTuple

import structlog

from schemas.errors import UnavailableError
from streams.kafka import KafkaException, Producer, TopicPartition, make_producer
from streams.settings import Settings

log = structlog.get_logger(__name__)

TRANSACTION_S = 30.0
RETRY_S = 1.0


class Output(NamedTuple):
    """One record for people or learners."""

    topic: str
    key: bytes | None
    value: bytes


class Outlet:
    """A transactional producer; its methods block.

    Args:
        settings: The broker, and the worker whose transactions these are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: Producer | None = None

    def publish(
        self, outputs: list[Output], offsets: list[TopicPartition], membership: Any
    ) -> None:
        """Publish all of it, and the positions, or nothing.

        Args:
            outputs: In order.
            offsets: The journal positions behind them, readings in their metadata.
            membership: The consumer group's metadata at the generation that read the journal.

        Raises:
            UnavailableError: the transaction failed; whether it counts, the committed positions
                tell after :meth:`fence`.
        """
        try:
            producer = self._ready()
            producer.begin_transaction()
            for output in outputs:
                _produce(producer, output)
            producer.send_offsets_to_transaction(offsets, membership, TRANSACTION_S)
            producer.commit_transaction(TRANSACTION_S)
        except KafkaException as fault:
            self.give_up()
            raise UnavailableError(f"the transaction failed: {fault}", RETRY_S) from fault

    def fence(self) -> None:
        """End whatever transaction an earlier life of this worker left open.

        Raises:
            UnavailableError: the broker does not answer.
        """
        try:
            self._ready()
        except KafkaException as fault:
            self._producer = None
            raise UnavailableError(f"no transactions: {fault}", RETRY_S) from fault

    def give_up(self) -> None:
        """Abort; what comes next begins with a new producer, which fences off this one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.abort_transaction(TRANSACTION_S)
            except KafkaException as fault:
                log.warning("abort_failed", error=str(fault))

    def _ready(self) -> Producer:
        if self._producer is None:
            producer = make_producer(
                self._settings.kafka,
                transactional_id=f"riverdesk-publisher-{self._settings.worker}",
                transaction_timeout_ms=60_000,
                retry_backoff_ms=10,  # after a commit the coordinator asks for a retry: 100 ms lost
                retry_backoff_max_ms=100,
            )
            producer.init_transactions(TRANSACTION_S)
            self._producer = producer
        return self._producer


def _produce(producer: Producer, output: Output) -> None:
    while True:
        try:
            producer.produce(output.topic, value=output.value, key=output.key)
        except BufferError:
            producer.poll(0.1)
        else:
            return
