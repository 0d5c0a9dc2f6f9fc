"""Appends to topics and waits for every acknowledgement."""

import asyncio
from typing import TypeVar

from schemas.errors import UnavailableError
from streams.journal.flight import Flight, Outgoing, Place, SingleFlight, TogetherFlight
from streams.kafka import KafkaException, Producer, make_producer
from streams.settings import KafkaSettings

__all__ = ["AT_ONCE_S", "Outgoing", "TogetherFlight", "Writer"]

F = TypeVar("F", bound=Flight)

TOGETHER_MS = 1
"""A batch's records go out in few requests; the wait for the newest of them ends it at once."""
AT_ONCE_S = 0.01
"""How long the event loop may wait for acknowledgements."""


class Writer:
    """An idempotent producer that is thrown away at the first doubt.

    A broker that answers at once is waited for in the event loop, which spares two changes of
    thread; a slow one in a thread, and the loop goes on.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._patience_s = kafka.delivery_timeout_ms / 1000 + 1
        self._producer: Producer | None = None
        self._newest: Flight | None = None

    def send_together(self, records: list[Outgoing]) -> TogetherFlight:
        """Send records that must stand one behind the other on each partition.

        They come to the log behind all that was sent before.

        Raises:
            UnavailableError: as :meth:`append`.
        """
        return self._send(records, TogetherFlight)

    async def arrival(self, flight: TogetherFlight) -> dict[Place, range]:
        """Wait for what was sent together, and give the offsets at which it stands.

        Raises:
            UnavailableError: as :meth:`append`; also where somebody else's stand between them.
        """
        await self._wait(flight)
        offsets = flight.offsets()
        self._check(flight, all_known=all(offsets.values()))
        return offsets

    async def append(self, records: list[Outgoing]) -> list[int]:
        """Append the records and give their offsets, in order.

        Raises:
            UnavailableError: an acknowledgement failed or did not come; which of the records are
                on the log is not known, and the producer has been thrown away.
        """
        flight = self._send(records, SingleFlight)
        await self._wait(flight)
        return self._offsets(flight)

    def append_now(self, records: list[Outgoing]) -> list[int]:
        """Do the same, blocking."""
        flight = self._send(records, SingleFlight)
        try:
            flight.wait(self._patience_s)
        except KafkaException as fault:
            raise self._doubt(fault) from fault
        return self._offsets(flight)

    def throw_away(self) -> None:
        """Drop the producer with everything that it still holds."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    def _send(self, records: list[Outgoing], kind: type[F]) -> F:
        try:
            flight = kind(self._open(), records)
        except (KafkaException, BufferError) as fault:
            raise self._doubt(fault) from fault
        self._newest = flight
        return flight

    async def _wait(self, flight: Flight) -> None:
        newest = flight is self._newest
        try:
            if not flight.wait(AT_ONCE_S, newest=newest):
                await asyncio.to_thread(flight.wait, self._patience_s, newest=newest)
        except (KafkaException, BufferError) as fault:
            raise self._doubt(fault) from fault

    def _open(self) -> Producer:
        if self._producer is None:
            self._producer = make_producer(self._kafka, linger_ms=TOGETHER_MS)
        return self._producer

    def _doubt(self, fault: Exception) -> UnavailableError:
        self.throw_away()
        return UnavailableError(f"the broker did not take the records: {fault}")

    def _offsets(self, flight: SingleFlight) -> list[int]:
        offsets = flight.offsets()
        self._check(flight, all_known=-1 not in offsets)
        return offsets

    def _check(self, flight: Flight, *, all_known: bool) -> None:
        unanswered_count = flight.count - flight.answered_count()
        faults = flight.faults()
        if all_known and not faults and not unanswered_count:
            return
        self.throw_away()
        missing_count = len(faults) + unanswered_count
        what = f"{missing_count} not acknowledged" if missing_count else "do not stand together"
        raise UnavailableError(
            f"{flight.count} records: {what}" + (f": {faults[0]}" if faults else "")
        )
