"""Appends to topics and waits for every acknowledgement."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from schemas.errors import UnavailableError
from streams.kafka import KafkaError, KafkaException, Producer, make_producer
from streams.settings import KafkaSettings


class Outgoing(NamedTuple):
    """One record to be appended."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Writer:
    """An idempotent producer that is thrown away at the first doubt."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._producer: Producer | None = None

    async def append(self, records: Iterable[Outgoing]) -> list[int]:
        """Append the records and give their offsets, in order.

        Raises:
            UnavailableError: an acknowledgement failed or did not come; which of the records are
                on the log is not known, and the producer has been thrown away.
        """
        return await asyncio.to_thread(self.append_now, list(records))

    def append_now(self, records: list[Outgoing]) -> list[int]:
        """Do the same, blocking."""
        producer = self._producer or make_producer(self._kafka)
        self._producer = producer
        offsets = [-1] * len(records)
        faults: list[KafkaError] = []
        try:
            for index, record in enumerate(records):
                self._produce(producer, record, index, offsets, faults)
            unsent = producer.flush(self._kafka.delivery_timeout_ms / 1000 + 1)
        except (KafkaException, BufferError) as fault:
            self.throw_away()
            raise UnavailableError(f"the broker did not take the records: {fault}") from fault
        if faults or unsent or -1 in offsets:
            self.throw_away()
            raise UnavailableError(
                f"{len(faults) + unsent} of {len(records)} records were not acknowledged"
                + (f": {faults[0]}" if faults else "")
            )
        return offsets

    def throw_away(self) -> None:
        """Drop the producer with everything that it still holds."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    @staticmethod
    def _produce(
        producer: Producer,
        record: Outgoing,
        index: int,
        offsets: list[int],
        faults: list[KafkaError],
    ) -> None:
        def acknowledged(fault: KafkaError | None, message: object) -> None:
            if fault is not None:
                faults.append(fault)
            else:
                offsets[index] = message.offset()  # type: ignore[attr-defined]

        while True:
            try:
                producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                    on_delivery=acknowledged,
                )
            except BufferError:
                producer.poll(0.1)
            else:
                return
