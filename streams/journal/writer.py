"""Appends to topics and waits for every acknowledgement."""

import asyncio
from typing import NamedTuple

from schemas.errors import UnavailableError
from streams.kafka import KafkaError, KafkaException, Producer, make_producer
from streams.settings import KafkaSettings

AT_ONCE_S = 0.01
"""How long the event loop may wait for acknowledgements."""


class Outgoing(NamedTuple):
    """One record to be appended."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class _Flight:
    """Records that were handed to a producer, until each of them is acknowledged.

    Attributes:
        offsets: Of each record, in order; -1 while it is not known.
        faults: Of those that failed.
        unsent: How many were still under way when the wait ended.
    """

    __slots__ = ("_producer", "faults", "offsets", "unsent")

    def __init__(self, producer: Producer, records: list[Outgoing]) -> None:
        self._producer = producer
        self.offsets = [-1] * len(records)
        self.faults: list[KafkaError] = []
        self.unsent = len(records)
        for index, record in enumerate(records):
            self._send(record, index)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the acknowledgements; tell whether nothing is under way any more."""
        self.unsent = self._producer.flush(timeout_s)
        return not self.unsent

    def _send(self, record: Outgoing, index: int) -> None:
        def acknowledged(fault: KafkaError | None, message: object) -> None:
            if fault is not None:
                self.faults.append(fault)
            else:
                self.offsets[index] = message.offset()  # type: ignore[attr-defined]

        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                    on_delivery=acknowledged,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return


class Writer:
    """An idempotent producer that is thrown away at the first doubt."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._patience_s = kafka.delivery_timeout_ms / 1000 + 1
        self._producer: Producer | None = None

    async def append(self, records: list[Outgoing]) -> list[int]:
        """Append the records and give their offsets, in order.

        A broker that answers at once is waited for in the event loop, which spares two changes of
        thread; a slow one in a thread, and the loop goes on.

        Raises:
            UnavailableError: an acknowledgement failed or did not come; which of the records are
                on the log is not known, and the producer has been thrown away.
        """
        try:
            flight = self._flight(records)
            if not flight.wait(AT_ONCE_S):
                await asyncio.to_thread(flight.wait, self._patience_s)
        except (KafkaException, BufferError) as fault:
            raise self._doubt(fault) from fault
        return self._offsets(flight)

    def append_now(self, records: list[Outgoing]) -> list[int]:
        """Do the same, blocking."""
        try:
            flight = self._flight(records)
            flight.wait(self._patience_s)
        except (KafkaException, BufferError) as fault:
            raise self._doubt(fault) from fault
        return self._offsets(flight)

    def throw_away(self) -> None:
        """Drop the producer with everything that it still holds."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    def _flight(self, records: list[Outgoing]) -> _Flight:
        self._producer = self._producer or make_producer(self._kafka)
        return _Flight(self._producer, records)

    def _doubt(self, fault: Exception) -> UnavailableError:
        self.throw_away()
        return UnavailableError(f"the broker did not take the records: {fault}")

    def _offsets(self, flight: _Flight) -> list[int]:
        offsets, faults, unsent = flight.offsets, flight.faults, flight.unsent
        if faults or unsent or -1 in offsets:
            self.throw_away()
            raise UnavailableError(
                f"{len(faults) + unsent} of {len(offsets)} records were not acknowledged"
                + (f": {faults[0]}" if faults else "")
            )
        return offsets
