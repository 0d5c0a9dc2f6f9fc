"""The archiver: journal, lessons and scorecards into the warehouse, each position once.

Before a range is inserted it is noted in the metadata of the committed offset: from where to
where, how many rows, which content. After a crash the same range is cut out of the log again and
inserted with the same tokens, so that the warehouse recognises what it already has.

While one stretch is inserted the next is collected, and noted only when that one is done.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog

from models.policy import Policy
from schemas.errors import IncompatibleError, MalformedError, UnavailableError
from sinks.sink import Sink
from streams.archiver.notes import GROUP, TOPICS, Note, Place, note_down, noted
from streams.archiver.stretch import Stretch
from streams.health import catalogue
from streams.health.metrics import Metrics
from streams.health.standing import Standing
from streams.health.waiting import Waiting
from streams.intake.batches import Batch
from streams.intake.intake import Intake
from streams.kafka import TopicPartition, gathering, make_consumer
from streams.settings import Settings
from streams.turns import Turns

log = structlog.get_logger(__name__)

PROBE_EVERY_S = 5.0
"""How often the warehouse is asked whether it is there while nothing is to be inserted."""


BACKLOG = 4
"""How many times ``flush_rows`` are collected before a busy warehouse is waited for."""


class Archiver:
    """Everything of the archiver but Faust.

    Args:
        settings: All settings.
        sink: The warehouse.
        deliver: Brings a batch to whoever calls :meth:`process`.
        halt: Called once when the archiver must not go on.
    """

    def __init__(
        self,
        settings: Settings,
        sink: Sink,
        deliver: Callable[[Batch], Any],
        halt: Callable[[BaseException], None],
    ) -> None:
        self._settings = settings
        self._sink = sink
        self._turns = Turns("archiver", halt)
        self.metrics = Metrics("archiver")
        self._waiting = Waiting()
        self.intake = Intake(
            make_consumer(
                settings.kafka,
                GROUP,
                f"riverdesk-archiver-{settings.worker}",
                **gathering(settings.archiver.gather_ms),
            ),
            TOPICS,
            deliver=deliver,
            assigned=self._assigned,
            revoked=self._revoked,
            batch_records=settings.archiver.batch_records,
            idle_s=settings.archiver.flush_interval_ms / 1000,
        )
        self._stretches: dict[Place, Stretch] = {}
        self._sealed: dict[Place, Stretch] = {}
        """What is being inserted; the stretches begin behind it."""
        self._insertion: asyncio.Task[None] | None = None
        self._generation = 0
        self._begun = 0
        """The generation of the stretches; they begin behind an insert that ends with it."""
        self._row_count = 0
        self._used_at_s = time.monotonic()

    async def open(self) -> None:
        """Begin to read."""
        self.intake.open(asyncio.get_running_loop())

    async def close(self) -> None:
        """Leave the group; what is not yet inserted is read again by the next owner."""
        self._generation = -1
        await self.intake.close()

    async def process(self, batch: Batch) -> None:
        """Take in one batch and insert what is due; never raises."""
        try:
            await self._turns.take(lambda: self._process(batch))
        finally:
            self.intake.done()

    def check(self) -> None:
        """Halt if the intake's thread or an insert has failed; called every second."""
        ended = self._insertion if self._insertion and self._insertion.done() else None
        self._turns.check(self.intake.failure, ended.exception() if ended else None)

    def adopt(self, policy: Policy) -> None:
        """Policies change nothing here."""

    def status(self) -> dict[str, Any]:
        """Give what an operator or a barrier wants to know."""
        return {
            "role": "archiver",
            "worker": self._settings.worker,
            "row_count": self._row_count,
            "waiting_for": self._waiting.reason(),
            "positions": {
                f"{topic}/{number}": start
                for (topic, number), start in sorted(self._starts().items())
            },
        }

    def standing(self) -> Standing:
        """Say how far the archiver is; called in any thread."""
        return Standing(self._starts(), self._waiting)

    def _starts(self) -> dict[Place, int]:
        """Give the first offsets that are not known to be inserted."""
        stretches = {**self._stretches.copy(), **self._sealed.copy()}
        return {place: stretch.start for place, stretch in stretches.items()}

    def measure(self) -> None:
        """Set the gauges among the metrics to how things stand."""
        oldest_ms = [
            stretch.oldest_ms
            for stretch in (*self._sealed.values(), *self._stretches.values())
            if stretch.oldest_ms is not None
        ]
        now_ms = time.time() * 1000
        self.metrics.show(
            catalogue.BEHIND_S, max(0.0, now_ms - min(oldest_ms, default=now_ms)) / 1000
        )
        self.metrics.show(catalogue.WAREHOUSE, not self._waiting.on("warehouse"))

    async def _process(self, batch: Batch) -> None:
        started_at = time.perf_counter()
        if self._begun != self._generation:
            return
        for part in batch:
            if part.generation != self._generation or not part.records:
                continue
            for topic, at in part.continues.items():
                stretch = self._stretches.get((topic, part.partition))
                if stretch is None:
                    continue
                if at != stretch.end:
                    log.warning("slice_refused", topic=topic, partition=part.partition)
                    self._start(part.partition)
                    break
                stretch.add([raw for raw in part.records if raw.topic == topic])
                stretch.read_up_to(part.ends[topic])
        await self._insert_due()
        if any(part.records for part in batch):
            self.metrics.count(catalogue.BATCHES)
            self.metrics.observe(catalogue.BATCH_S, [time.perf_counter() - started_at])

    async def _insert_due(self) -> None:
        config, generation = self._settings.archiver, self._generation
        if self._insertion is not None and self._insertion.done():
            await self._settle()
        now_s = time.monotonic()
        due = {
            place: stretch
            for place, stretch in self._stretches.items()
            if stretch.due(now_s, config.flush_rows, config.flush_interval_ms / 1000)
        }
        if self._insertion is not None:
            collected = sum(stretch.held_count for stretch in self._stretches.values())
            if collected < BACKLOG * config.flush_rows:
                return
            await self._settle()
            if generation != self._generation:
                return
        if not due:
            await self._probe()
            return
        after = {place: stretch.successor() for place, stretch in due.items()}
        self._sealed = due
        self._stretches.update(after)
        self._insertion = asyncio.create_task(self._insert(due, generation))

    async def _settle(self) -> None:
        """Wait for the insert that is under way; raises what it raised."""
        if self._insertion is not None:
            await asyncio.wait({self._insertion})  # which does not end it if we are ended
            self._insertion.result()
            self._insertion = None

    async def _insert(self, sealed: dict[Place, Stretch], generation: int) -> None:
        opening = {place: stretch.open_note() for place, stretch in sealed.items()}
        if not await self._commit(opening, generation):
            return
        for stretch in sealed.values():
            again = stretch.is_reopened
            while generation == self._generation:
                try:
                    written = await asyncio.to_thread(
                        self._sink.write, stretch.range(), stretch.rows, again=again
                    )
                except UnavailableError as fault:
                    again = True
                    self._waiting.note("warehouse", fault)
                    self.metrics.count(catalogue.RETRIES)
                    log.warning("warehouse_away", error=str(fault))
                    await asyncio.sleep(fault.retry_after_s)
                else:
                    self._waiting.over("warehouse")
                    self._used_at_s = time.monotonic()
                    self._row_count += sum(written.values())
                    self.metrics.count_each(catalogue.ROWS, written)
                    self.metrics.count(catalogue.RANGES)
                    break
            else:
                return
        done = {place: stretch.done_note() for place, stretch in sealed.items()}
        if await self._commit(done, generation):
            self._sealed = {}

    async def _probe(self) -> None:
        """Ask whether the warehouse is there, now and then: nobody wants to learn it too late."""
        if time.monotonic() - self._used_at_s < PROBE_EVERY_S:
            return
        try:
            await asyncio.to_thread(self._sink.probe)
        except UnavailableError as fault:
            self._waiting.note("warehouse", fault)
            log.warning("warehouse_away", error=str(fault))
        else:
            self._waiting.over("warehouse")
        self._used_at_s = time.monotonic()

    async def _commit(self, notes: dict[Place, tuple[int, Note]], generation: int) -> bool:
        offsets = [
            TopicPartition(topic, number, offset, note.token())
            for (topic, number), (offset, note) in notes.items()
        ]
        while generation == self._generation:
            try:
                await self.intake.call(lambda consumer: note_down(consumer, offsets))
            except UnavailableError as fault:
                log.warning("note_not_taken", error=str(fault))
                self._waiting.note("note", fault)
                await asyncio.sleep(fault.retry_after_s)
            else:
                self._waiting.over("note")
                return True
        return False

    # -- ownership ------------------------------------------------------------------------------

    async def _assigned(self, numbers: set[int], generation: int) -> None:
        self._generation = generation
        async with self._turns.lock:
            await self._quiet()
            while self._generation == generation:
                try:
                    notes = await self.intake.call(
                        lambda consumer: noted(consumer, sorted(numbers))
                    )
                except UnavailableError as fault:
                    log.warning("positions_unknown", error=str(fault))
                    self._waiting.note("positions", fault)
                    await asyncio.sleep(fault.retry_after_s)
                    continue
                except (IncompatibleError, MalformedError) as fault:
                    self._turns.stop(fault)
                    return
                self._waiting.over("positions")
                self._sealed = {}
                self._stretches = {
                    place: Stretch(*place, offset, note) for place, (offset, note) in notes.items()
                }
                self._begun = generation
                for number in numbers:
                    self._start(number)
                return

    async def _revoked(self, numbers: set[int]) -> None:
        self._generation = -1  # ends what waits; may come late, so it clears nothing
        async with self._turns.lock:
            await self._quiet()

    async def _quiet(self) -> None:
        """Wait until what was in flight has ended, well or not."""
        if self._insertion is not None:
            await asyncio.wait({self._insertion})
            if self._insertion.exception() is None:
                self._insertion = None

    def _start(self, number: int) -> None:
        positions = {
            topic: stretch.end for (topic, at), stretch in self._stretches.items() if at == number
        }
        self.intake.start(number, self._generation, positions)
