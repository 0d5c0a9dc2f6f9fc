"""A broker in memory for real desks' parts: one journal partition, with everything that goes wrong.

The product's own takeover, store, partition, fold and check of acknowledgements run on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import decode_json
from schemas.errors import UnavailableError
from schemas.registry import JOURNAL
from streams.journal.acceptance import Reading
from streams.journal.reader import Entry
from streams.journal.writer import Outgoing


@dataclass
class Plan:
    """What happens to one append.

    Args:
        landed: So many records land at once; ``None``: all, and they are acknowledged.
        refused: Index of a record that the broker refuses.
        heard: Whether the acknowledgements come, where all records landed.
    """

    landed: int | None = None
    refused: int | None = None
    heard: bool = True


@dataclass
class Broker:
    """The journal, the dead letters, and what thrown away producers may still bring."""

    log: list[bytes] = field(default_factory=list)
    dead: list[Outgoing] = field(default_factory=list)
    late: list[list[bytes]] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)

    def append(self, records: list[Outgoing]) -> list[int]:
        if records[0].topic != JOURNAL.name:
            self.dead += records
            return list(range(len(records)))
        plan, self.plan = self.plan, Plan()
        sent = [record.value or b"" for n, record in enumerate(records) if n != plan.refused]
        landed = len(sent) if plan.landed is None else min(plan.landed, len(sent))
        first = len(self.log)
        self.log += sent[:landed]
        if landed < len(sent):
            self.late.append(sent[landed:])
        if landed < len(records) or not plan.heard:
            raise UnavailableError("not acknowledged")
        return list(range(first, len(self.log)))

    def land_late(self, which: int, count: int) -> None:
        records = self.late.pop(which % len(self.late))
        self.log += records[:count]
        if records[count:]:
            self.late.append(records[count:])

    def entries(self, start: int, end: int) -> Iterator[Entry]:
        for offset in range(start, end):
            yield Entry(offset, 0, None, self.log[offset])

    def accepted(self) -> list[dict[str, object]]:
        reading, kept = Reading(), []
        for value in self.log:
            record = decode_json(value)
            after = reading.accept(record)
            if after is not None:
                reading = after
                kept.append(record)
        return kept


class SimulatedWriter:
    """Stands for :class:`streams.journal.writer.Writer`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def append(self, records: list[Outgoing]) -> list[int]:
        return self._broker.append(list(records))

    def append_now(self, records: list[Outgoing]) -> list[int]:
        return self._broker.append(records)

    def send_together(self, records: list[Outgoing]) -> Any:
        """They land at once, as planned; what became of them is told on arrival."""
        try:
            offsets = self._broker.append(records)
        except UnavailableError as fault:
            return fault
        return {(records[0].topic, records[0].partition): range(offsets[0], offsets[-1] + 1)}

    async def arrival(self, flight: Any) -> Any:
        if isinstance(flight, UnavailableError):
            raise flight
        return flight

    def throw_away(self) -> None:
        pass
