"""The desk: decides batches, journals them, then moves its state on.

Per batch: decide every slice in memory, have the dead letters acknowledged, send the journal
records, fold lessons while the broker writes them, have them acknowledged, move the state on.
Where more batches wait, the next one is decided while the records of this one are under way. Any
doubt about an acknowledgement throws the partitions of all that is under way back to what was
acknowledged before and claims them again.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from models import core as riverdesk
from models.policy import Policy
from models.verbs import Core
from schemas.errors import IncompatibleError, UnavailableError
from schemas.registry import INPUTS
from streams.desk.checkpoints import Checkpoints
from streams.desk.digests import Digests
from streams.desk.journaling import Journaling, Judged
from streams.desk.lessons import LessonFeed
from streams.desk.ownership import Ownership
from streams.desk.partition import Decided, Partition
from streams.desk.report import Report
from streams.desk.state_checkpoints import StateCheckpoints
from streams.desk.state_keeper import StateKeeper
from streams.desk.tally import Tally
from streams.health import catalogue
from streams.health.metrics import Metrics
from streams.health.standing import Standing
from streams.intake.batches import Batch, Slice
from streams.intake.intake import Intake
from streams.journal.writer import Writer
from streams.kafka import TopicPartition, gathering, make_consumer
from streams.settings import Settings
from streams.turns import Turns

log = structlog.get_logger(__name__)

COMMIT_EVERY_S = 1.0
AHEAD = 1
"""Batches that may be under way while the next one is decided."""
RECORDS_PER_LESSON = 2
"""An event makes a quarter of a lesson: a desk that catches up must not leave them behind."""


class Desk:
    """Everything of the desk but Faust.

    Args:
        settings: All settings.
        partition_count: Of the inputs and the journal.
        clock: Milliseconds since the epoch.
        deliver: Brings a batch to whoever calls :meth:`process`.
        halt: Called once when the desk must not go on; the process ends.
        core: Decides and folds.
    """

    def __init__(
        self,
        settings: Settings,
        partition_count: int,
        clock: Callable[[], int],
        deliver: Callable[[Batch], Any],
        halt: Callable[[BaseException], None],
        core: Core = riverdesk,
    ) -> None:
        self._settings = settings
        self._partition_count = partition_count
        self._clock = clock
        self._turns = Turns("desk", halt)
        self.metrics = Metrics("desk")
        directory = Path(settings.state_dir) / settings.worker
        shared, key = settings.checkpoints_path, settings.checkpoint_key_bytes
        self.digests = Digests(
            settings.kafka,
            settings.worker,
            settings.desk.digest_every_lessons,
            clock,
            directory / "departed",
        )
        self.feed = LessonFeed(
            settings.kafka,
            Checkpoints(shared / "learners", key, settings.desk.checkpoints_kept, settings.worker),
            settings.desk.checkpoint_every_lessons,
            self.digests,
        )
        self.intake = Intake(
            make_consumer(
                settings.kafka,
                "riverdesk-desk",
                f"riverdesk-desk-{settings.worker}",
                **gathering(settings.desk.gather_ms),
            ),
            [topic.name for topic in INPUTS],
            deliver=deliver,
            assigned=self._assigned,
            revoked=self._revoked,
            batch_records=settings.desk.batch_records,
        )
        checkpoints = StateCheckpoints(shared, key, settings.desk.checkpoints_kept, settings.worker)
        self._owned = Ownership(
            settings,
            partition_count,
            clock,
            self.intake,
            self.feed,
            directory / "partitions",
            self._turns.stop,
            self.metrics,
            checkpoints,
            core,
        )
        self.keeper = StateKeeper(
            checkpoints, settings.desk.state_checkpoint_every_s, self._owned.partitions
        )
        self._report = Report(
            settings.worker, partition_count, self._owned, self.feed, self.digests, self.keeper
        )
        self._newest_policy: Policy | None = None
        self._tally = Tally(self.metrics, clock)
        self._journaling = Journaling(Writer(settings.kafka), self._acknowledged)
        self._committed_at = 0.0
        self._learning: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to read lessons and inputs."""
        loop = asyncio.get_running_loop()
        await self.feed.restore()
        self.feed.open(loop)
        try:
            await self.feed.settle()
        except IncompatibleError as fault:
            self._turns.stop(fault)
            return
        self._learning = loop.create_task(self._learn())
        self.keeper.open()
        self.intake.open(loop)

    async def close(self) -> None:
        """Leave the group, give up what is in flight, close the stores."""
        await self.intake.close()
        if self._learning is not None:
            self._learning.cancel()
        await self.keeper.close()
        async with self._turns.lock:
            await self._settle()
            await self._owned.close()
        await self.feed.close()

    async def process(self, batch: Batch) -> None:
        """Decide one batch and make it durable; never raises."""
        try:
            await self._turns.take(lambda: self._process(batch))
        finally:
            self.intake.done()

    def check(self) -> None:
        """Halt if a thread has failed; called every second."""
        self._turns.check(self.intake.failure, self.feed.failure, self.digests.failure)

    def adopt(self, policy: Policy) -> None:
        """Use a newer policy from the next batch on; each partition journals the change."""
        if self._newest_policy is None or policy.version > self._newest_policy.version:
            self._newest_policy = policy

    def status(self) -> dict[str, Any]:
        """Give what an operator or a barrier wants to know."""
        return self._report.status()

    def standing(self) -> Standing:
        """Say how far the desk is; called in any thread."""
        return self._report.standing()

    def measure(self) -> None:
        """Set the gauges among the metrics to how things stand."""
        self._report.measure(self.metrics)

    async def _assigned(self, numbers: set[int], generation: int) -> None:
        for number in sorted(numbers):
            self._owned.take(number, generation)

    async def _revoked(self, numbers: set[int]) -> None:
        async with self._turns.lock:  # what is in flight is finished first
            await self._settle()
            self._owned.let_go_revoked()

    # -- a batch --------------------------------------------------------------------------------

    async def _learn(self) -> None:
        """Fold lessons between batches, also while no events come."""
        limit = self._settings.desk.lessons_per_batch
        while True:
            await self.feed.arrival()
            try:
                while True:
                    async with self._turns.lock:
                        if self.feed.apply(limit) < limit:
                            break
                    await asyncio.sleep(0)
            except Exception as fault:
                log.exception("lessons_failed", error=repr(fault))
                self._turns.stop(fault)
                return

    async def _process(self, batch: Batch) -> None:
        started_at_s = time.perf_counter()
        self.feed.check()
        try:
            quiet_ms = {part.partition: await self._quiet_ms(part) for part in batch}
            judged = Judged([], [], started_at_s)
            for part in batch:
                partition = self._owned_as(part)
                if partition is None:
                    continue  # revoked or thrown back since it was read
                decided = self._decide(partition, part, quiet_ms[part.partition])
                if decided is not None:
                    judged.work.append((partition, decided))
                    judged.published_ms.extend(raw.published_ms for raw in part.records)
            if judged.work:
                await self._journaling.send(judged)
            self._learn_behind(batch)
            await self._journaling.settle(AHEAD if self.intake.more_waits() else 0)
            for partition in filter(None, map(self._owned_as, batch)):  # each, once a second
                partition.store.commit_if_due()
        except UnavailableError as fault:
            self._throw_back(fault, [part.partition for part in batch])
        except BaseException:  # whatever comes next must not build on what was staged
            for partition in self._staged([part.partition for part in batch]):
                partition.discard()
            self._journaling.throw_away()
            raise

    def _learn_behind(self, batch: Batch) -> None:
        """Fold lessons while the broker writes: no event waits for those but the next ones."""
        record_count = sum(len(part.records) for part in batch)
        self.feed.apply(
            max(self._settings.desk.lessons_per_batch, record_count // RECORDS_PER_LESSON)
        )

    async def _settle(self) -> None:
        """Have what is under way acknowledged, or throw it back."""
        try:
            await self._journaling.settle()
        except UnavailableError as fault:
            self._throw_back(fault, [])

    def _throw_back(self, fault: UnavailableError, numbers: list[int]) -> None:
        log.warning("batch_thrown_back", error=str(fault))
        self.metrics.count(catalogue.THROWN_BACK)
        staged = {partition.identity.partition for partition in self._staged(numbers)}
        self._journaling.throw_away()
        self._owned.throw_back(sorted(staged))

    def _staged(self, numbers: list[int]) -> list[Partition]:
        """Give those of some numbers, and all of which something is under way."""
        named = (self._owned.partitions.get(number) for number in numbers)
        return [*filter(None, named), *self._journaling.partitions()]

    def _owned_as(self, part: Slice) -> Partition | None:
        """Give the slice's partition, if it is still owned under the same assignment."""
        partition = self._owned.partitions.get(part.partition)
        if partition is None or partition.identity.generation != part.generation:
            return None
        return partition

    async def _quiet_ms(self, part: Slice) -> int | None:
        """Give the time of a quiet partition, if time is to pass and nothing is unread *now*."""
        if part.records or part.unread_ms is not None or self._settings.desk.clock != "wall":
            return None
        partition, now_ms = self._owned_as(part), self._clock()
        if partition is None or not partition.is_due(now_ms):
            return None
        try:
            return now_ms if await self.intake.all_read(part) else None
        except UnavailableError as fault:
            log.warning("end_of_inputs_unknown", partition=part.partition, error=str(fault))
            return None

    def _decide(self, partition: Partition, part: Slice, quiet_ms: int | None) -> Decided | None:
        if not partition.continues(part):
            log.warning("slice_refused", partition=part.partition, continues=part.continues)
            self._owned.start(partition)  # also where only the time came: something was lost
            return None
        if part.records:
            return partition.decide(part, self._clock, self._newest_policy)
        decided = partition.rest(quiet_ms, self._clock, self._newest_policy)
        return decided if decided.entries else None

    def _acknowledged(self, judged: Judged) -> None:
        """Count a batch that the journal has, and tell the group how far it is."""
        self._tally.count(judged)
        self._commit_offsets()

    def _commit_offsets(self) -> None:
        if time.monotonic() - self._committed_at < COMMIT_EVERY_S:
            return
        self._committed_at = time.monotonic()
        self.intake.hint(
            [
                TopicPartition(topic, partition.identity.partition, offset)
                for partition in self._owned.partitions.values()
                for topic, offset in partition.store.position.sources.items()
            ]
        )
