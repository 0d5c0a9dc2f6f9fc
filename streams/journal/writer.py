"""Appends to topics and waits for every acknowledgement."""

import asyncio

from schemas.errors import UnavailableError
from streams.journal.flight import Flight, Outgoing, TogetherFlight
from streams.kafka import KafkaException, Producer, make_producer
from streams.settings import KafkaSettings

__all__ = ["AT_ONCE_S", "Outgoing", "Writer"]

TOGETHER_MS = 1
"""A batch's records go out in few requests; the wait for them ends it at once."""
AT_ONCE_S = 0.01
"""How long the event loop may wait for acknowledgements."""


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
        return await self._append(records, Flight)

    async def append_together(self, records: list[Outgoing]) -> list[int]:
        """Do the same with records that must stand one behind the other on each partition.

        Raises:
            UnavailableError: as :meth:`append`; also where somebody else's stand between them.
        """
        return await self._append(records, TogetherFlight)

    def append_now(self, records: list[Outgoing]) -> list[int]:
        """Do the same, blocking."""
        try:
            flight = Flight(self._open(), records)
            flight.wait(self._patience_s)
        except (KafkaException, BufferError) as fault:
            raise self._doubt(fault) from fault
        return self._offsets(flight)

    def throw_away(self) -> None:
        """Drop the producer with everything that it still holds."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    async def _append(self, records: list[Outgoing], kind: type[Flight]) -> list[int]:
        try:
            flight = kind(self._open(), records)
            if not flight.wait(AT_ONCE_S):
                await asyncio.to_thread(flight.wait, self._patience_s)
        except (KafkaException, BufferError) as fault:
            raise self._doubt(fault) from fault
        return self._offsets(flight)

    def _open(self) -> Producer:
        self._producer = self._producer or make_producer(self._kafka, linger_ms=TOGETHER_MS)
        return self._producer

    def _doubt(self, fault: Exception) -> UnavailableError:
        self.throw_away()
        return UnavailableError(f"the broker did not take the records: {fault}")

    def _offsets(self, flight: Flight) -> list[int]:
        offsets, faults, unsent = flight.offsets(), flight.faults, flight.unsent
        if faults or unsent or -1 in offsets:
            self.throw_away()
            missing = len(faults) + unsent
            what = f"were not acknowledged: {missing}" if missing else "do not stand together"
            raise UnavailableError(
                f"of {len(offsets)} records {what}" + (f": {faults[0]}" if faults else "")
            )
        return offsets
