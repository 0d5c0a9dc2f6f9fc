"""Outputs and positions in one Kafka transaction; the producer is dropped at the first doubt.

The client's calls run in a thread of their own: one was seen to wait for ever after the broker had
been killed, whatever time it was given. Then the thread is left behind with its producer, and the
next producer of the same transactional id fences that one off.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

import structlog

from schemas.errors import UnavailableError
from streams.kafka import KafkaException, Producer, TopicPartition, make_producer
from streams.settings import Settings

log = structlog.get_logger(__name__)

T = TypeVar("T")

TRANSACTION_S = 15.0
HANGS_AFTER_S = 45.0
"""More than all calls of one transaction may take by their own account."""
RETRY_S = 1.0


class Output(NamedTuple):
    """One record for people or learners."""

    topic: str
    key: bytes | None
    value: bytes


class Outlet:
    """A transactional producer, used by one batch at a time.

    Args:
        settings: The broker, and the worker whose transactions these are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: Producer | None = None

    async def publish(
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
        await self.fence()
        producer, self._producer = self._producer, None
        if producer is None:
            raise UnavailableError("the producer has been closed", RETRY_S)
        await _within(lambda: _transact(producer, outputs, offsets, membership))
        self._producer = producer

    async def fence(self) -> None:
        """End whatever transaction an earlier life of this worker left open.

        Raises:
            UnavailableError: the broker does not answer.
        """
        if self._producer is None:
            self._producer = await _within(self._begin)

    def _begin(self) -> Producer:
        producer = make_producer(
            self._settings.kafka,
            transactional_id=f"riverdesk-publisher-{self._settings.worker}",
            transaction_timeout_ms=60_000,
            retry_backoff_ms=10,  # after a commit the coordinator asks for a retry: 100 ms lost
            retry_backoff_max_ms=100,
        )
        try:
            producer.init_transactions(TRANSACTION_S)
        except KafkaException as fault:
            raise UnavailableError(f"no transactions: {fault}", RETRY_S) from fault
        return producer


def _transact(
    producer: Producer, outputs: list[Output], offsets: list[TopicPartition], membership: Any
) -> None:
    try:
        producer.begin_transaction()
        for output in outputs:
            _produce(producer, output)
        producer.send_offsets_to_transaction(offsets, membership, TRANSACTION_S)
        producer.commit_transaction(TRANSACTION_S)
    except KafkaException as fault:
        _abort(producer)
        raise UnavailableError(f"the transaction failed: {fault}", RETRY_S) from fault


def _abort(producer: Producer) -> None:
    try:
        producer.abort_transaction(TRANSACTION_S)
    except KafkaException as fault:
        log.warning("abort_failed", error=str(fault))


def _produce(producer: Producer, output: Output) -> None:
    while True:
        try:
            producer.produce(output.topic, value=output.value, key=output.key)
        except BufferError:
            producer.poll(0.1)
        else:
            return


async def _within(work: Callable[[], T]) -> T:
    """Do blocking work in a thread that nobody waits for for ever.

    Raises:
        UnavailableError: it hangs; its thread is left behind.
    """
    answer: Future[T] = Future()

    def do() -> None:
        try:
            answer.set_result(work())
        except BaseException as fault:
            answer.set_exception(fault)

    threading.Thread(target=do, name="outlet", daemon=True).start()
    try:
        async with asyncio.timeout(HANGS_AFTER_S):
            return await asyncio.shield(asyncio.wrap_future(answer))
    except TimeoutError:
        log.error("transaction_hangs", after_s=HANGS_AFTER_S)
        raise UnavailableError(
            f"the client has not come back for {HANGS_AFTER_S:.0f} s", RETRY_S
        ) from None
