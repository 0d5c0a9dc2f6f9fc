"""An upstream system's producer: kafka-python, whose partitioner is murmur2 like Java's."""

import logging
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.errors import MisconfiguredError, UnavailableError
from schemas.registry import INPUTS
from streams.settings import KafkaSettings
from streams.topics import partition_counts

BOOTSTRAP_TIMEOUT_MS = 10_000
CLOSE_S = 2.0
MAX_REQUEST_BYTES = 2_200_000
FLUSH_S = 120.0


class Upstream:
    """Publishes records and waits for every acknowledgement (``acks=all``, idempotent).

    Args:
        kafka: The broker.

    Raises:
        UnavailableError: no broker answers within 10 s (or the delivery timeout, if shorter).
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # its faults come as exceptions
        secret = kafka.sasl_password.get_secret_value() if kafka.sasl_password else None
        timeout_ms = kafka.delivery_timeout_ms
        try:
            self._producer: Any = KafkaProducer(
                bootstrap_servers=kafka.bootstrap,
                security_protocol=kafka.security_protocol.upper(),
                sasl_mechanism=kafka.sasl_mechanism,
                sasl_plain_username=kafka.sasl_username,
                sasl_plain_password=secret,
                acks="all",
                linger_ms=5,
                batch_size=65_536,
                max_request_size=MAX_REQUEST_BYTES,
                max_block_ms=timeout_ms,
                delivery_timeout_ms=timeout_ms,
                request_timeout_ms=timeout_ms // 2,
                bootstrap_timeout_ms=min(BOOTSTRAP_TIMEOUT_MS, timeout_ms),
                allow_auto_create_topics=False,
            )
        except KafkaError as fault:
            raise UnavailableError(f"no broker answers at {kafka.bootstrap}: {fault}") from fault
        self.sent_count = 0
        self._acknowledged_count = 0
        self._fault: BaseException | None = None
        self._known = frozenset(partition_counts(kafka, [topic.name for topic in INPUTS]))
        self._lock = threading.Lock()

    @property
    def acknowledged_count(self) -> int:
        """Records that the broker has taken."""
        with self._lock:
            return self._acknowledged_count

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Publish one record; may block while the buffer is full.

        Raises:
            UnavailableError: the broker is away, or an earlier record was not taken.
            MisconfiguredError: there is no such input topic.
        """
        self._check()
        self._require(topic)
        try:
            future = self._producer.send(topic, key=key, value=value)
        except KafkaError as fault:
            raise UnavailableError(f"a record was not taken: {fault}") from fault
        self.sent_count += 1
        future.add_callback(self._acknowledged)
        future.add_errback(self._failed)

    def flush(self) -> None:
        """Wait until everything sent is acknowledged.

        Raises:
            UnavailableError: it was not; how much was is in :attr:`acknowledged_count`.
        """
        try:
            self._producer.flush(FLUSH_S)
        except KafkaError as fault:
            raise UnavailableError(self._progress(fault)) from fault
        self._check()
        if self.acknowledged_count != self.sent_count:
            raise UnavailableError(self._progress("the broker does not answer"))

    def close(self) -> None:
        """Give up what is not acknowledged."""
        with suppress(KafkaError):  # said by `flush` already
            self._producer.close(timeout=CLOSE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _require(self, topic: str) -> None:
        if topic not in self._known:
            raise MisconfiguredError(f"no such topic: {topic}; run `riverdesk topics create`")

    def _check(self) -> None:
        if self._fault is not None:
            raise UnavailableError(self._progress(self._fault))

    def _progress(self, fault: object) -> str:
        counts = f"{self.acknowledged_count} of {self.sent_count} records are acknowledged"
        return f"the broker did not take a record: {fault} ({counts})"

    def _acknowledged(self, _: object) -> None:
        with self._lock:
            self._acknowledged_count += 1

    def _failed(self, fault: BaseException) -> None:
        self._fault = fault
