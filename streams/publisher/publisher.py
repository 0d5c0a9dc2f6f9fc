"""The publisher: the journal's effects, each once, in the topics that people subscribe to.

Outputs and the journal position go into one Kafka transaction (KIP-447). The position's metadata
holds the reading of the journal, so that a restart goes on with the reader's rule where it was.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from models.policy import Policy
from schemas.codec import decode_json, encode
from schemas.errors import IncompatibleError, MalformedError, UnavailableError
from schemas.registry import JOURNAL
from streams.health import catalogue
from streams.health.metrics import Metrics
from streams.health.standing import Standing
from streams.health.waiting import Waiting
from streams.intake.batches import Batch, Slice
from streams.intake.intake import Intake
from streams.journal.acceptance import Reading
from streams.kafka import Consumer, TopicPartition, gathering, make_consumer, partition_numbers
from streams.publisher.glance import glance
from streams.publisher.outlet import Outlet, Output
from streams.publisher.positions import GROUP, committed, refuse_lost_positions
from streams.settings import Settings
from streams.turns import Turns

log = structlog.get_logger(__name__)


class Publisher:
    """Everything of the publisher but Faust.

    Args:
        settings: All settings.
        deliver: Brings a batch to whoever calls :meth:`process`.
        halt: Called once when the publisher must not go on.
    """

    def __init__(
        self,
        settings: Settings,
        deliver: Callable[[Batch], Any],
        halt: Callable[[BaseException], None],
    ) -> None:
        self._settings = settings
        self._turns = Turns("publisher", halt)
        self.metrics = Metrics("publisher")
        self.metrics.count_each(catalogue.TRANSACTIONS, {"committed": 0, "aborted": 0})
        self._waiting = Waiting()
        self.intake = Intake(
            make_consumer(
                settings.kafka,
                GROUP,
                f"riverdesk-publisher-{settings.worker}",
                **gathering(settings.publisher.gather_ms),
            ),
            [JOURNAL.name],
            deliver=deliver,
            assigned=self._assigned,
            revoked=self._revoked,
            batch_records=settings.publisher.batch_records,
        )
        self._outlet = Outlet(settings)
        self._readings: dict[int, Reading] = {}
        self._positions: dict[int, int] = {}
        self._generation = 0
        self._published_count = 0

    async def open(self) -> None:
        """Begin to read the journal."""
        self.intake.open(asyncio.get_running_loop())

    async def close(self) -> None:
        """Leave the group; an open transaction is aborted by its time-out or successor."""
        self._generation = -1
        await self.intake.close()

    async def process(self, batch: Batch) -> None:
        """Publish one batch; never raises."""
        try:
            await self._turns.take(lambda: self._process(batch))
        finally:
            self.intake.done()

    def check(self) -> None:
        """Halt if the intake's thread has failed; called every second."""
        self._turns.check(self.intake.failure)

    def adopt(self, policy: Policy) -> None:
        """Policies change nothing here."""

    def status(self) -> dict[str, Any]:
        """Give what an operator or a barrier wants to know."""
        return {
            "role": "publisher",
            "worker": self._settings.worker,
            "published_count": self._published_count,
            "partitions": {str(n): {"journal_next": at} for n, at in self._positions.items()},
        }

    def standing(self) -> Standing:
        """Say how far the publisher is; called in any thread."""
        positions = self._positions.copy()
        return Standing(
            {(JOURNAL.name, number): at for number, at in positions.items()}, self._waiting
        )

    def measure(self) -> None:
        """Set the gauges among the metrics to how things stand."""
        self.metrics.show_each(
            catalogue.OFFSET, (((str(number),), at) for number, at in self._positions.items())
        )

    async def _process(self, batch: Batch) -> None:
        started_at = time.perf_counter()
        generation = self._generation
        parts = [
            part
            for part in batch
            if part.records and part.generation == generation and part.partition in self._readings
        ]
        if not parts:
            return
        if any(part.continues[JOURNAL.name] != self._positions[part.partition] for part in parts):
            log.warning("slice_refused")
            self._restart([part.partition for part in parts])
            return
        readings = dict(self._readings)
        outputs = [output for part in parts for output in self._outputs(part, readings)]
        offsets = [
            TopicPartition(
                JOURNAL.name,
                part.partition,
                part.ends[JOURNAL.name],
                readings[part.partition].token(),
            )
            for part in parts
        ]
        membership = self.intake.membership
        if self.intake.generation != generation:
            return  # assigned anew meanwhile: that membership must not vouch for these positions
        try:
            await self._outlet.publish(outputs, offsets, membership)
        except UnavailableError as fault:
            log.warning("batch_thrown_back", error=str(fault))
            self._waiting.note("transaction", fault)
            self.metrics.count(catalogue.THROWN_BACK)
            self.metrics.count(catalogue.TRANSACTIONS, 1, "aborted")
            await asyncio.sleep(fault.retry_after_s)
            await self._reread([part.partition for part in parts], generation)
            return
        self._readings = readings
        for part in parts:
            self._positions[part.partition] = part.ends[JOURNAL.name]
        self._published_count += len(outputs)
        self._waiting.over("transaction")
        self.metrics.count(catalogue.BATCHES)
        self.metrics.count(catalogue.TRANSACTIONS, 1, "committed")
        self.metrics.count_each(catalogue.OUTPUTS, Counter(each.topic for each in outputs))
        self.metrics.observe(catalogue.BATCH_S, [time.perf_counter() - started_at])

    @staticmethod
    def _outputs(part: Slice, readings: dict[int, Reading]) -> list[Output]:
        outputs = []
        for raw in part.records:
            value = raw.value or b""
            record = glance(value) or decode_json(value)
            reading = readings[part.partition].accept(record)
            if reading is None:
                continue
            readings[part.partition] = reading
            for effect in record.get("effects", ()):
                key = effect["key"]
                content = encode(effect["value"])
                outputs.append(Output(effect["topic"], key.encode() if key else None, content))
        return outputs

    # -- ownership ------------------------------------------------------------------------------

    async def _assigned(self, numbers: set[int], generation: int) -> None:
        self._generation = generation
        async with self._turns.lock:  # what was in flight has ended
            if self._generation == generation:
                self._readings, self._positions = {}, {}
                await self._reread(sorted(numbers), generation)

    async def _revoked(self, numbers: set[int]) -> None:
        self._generation = -1  # may come late: it must not touch what is assigned next
        async with self._turns.lock:
            pass  # a batch in flight is finished first

    async def _reread(self, numbers: list[int], generation: int) -> None:
        """Go on after the committed positions: whether a doubtful transaction counts is there."""
        while self._generation == generation:
            try:
                await self._outlet.fence()
                found = await self.intake.call(_all_committed)
                if not any(found.values()) and not self._settings.publisher.from_beginning:
                    await asyncio.to_thread(refuse_lost_positions, self._settings.kafka)
            except UnavailableError as fault:
                log.warning("positions_unknown", error=str(fault))
                self._waiting.note("positions", fault)
                await asyncio.sleep(fault.retry_after_s)
                continue
            except (IncompatibleError, MalformedError) as fault:
                self._turns.stop(fault)
                return
            self._waiting.over("positions")
            for number in numbers:
                self._positions[number], self._readings[number] = found[number] or (0, Reading())
            self._restart(numbers)
            return

    def _restart(self, numbers: list[int]) -> None:
        for number in numbers:
            self.intake.start(number, self._generation, {JOURNAL.name: self._positions[number]})


def _all_committed(consumer: Consumer) -> dict[int, tuple[int, Reading] | None]:
    """Give the positions of all partitions, whoever owns them."""
    return committed(consumer, partition_numbers(consumer, JOURNAL.name))
