"""Which partitions this worker owns: taken over after an assignment, let go before the next."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from models.verbs import Core
from schemas.errors import UnavailableError
from streams.desk.cache import CacheBudget
from streams.desk.guard import DeadLetterLimit
from streams.desk.lessons import LessonFeed
from streams.desk.partition import Partition
from streams.desk.state_checkpoints import StateCheckpoints
from streams.desk.takeover import take_over
from streams.health.catalogue import TAKEOVER_S
from streams.health.metrics import Metrics
from streams.health.waiting import Waiting
from streams.intake.intake import Intake
from streams.settings import Settings

log = structlog.get_logger(__name__)

TAKEOVERS_AT_ONCE = 4
CLOSE_S = 10.0


class Ownership:
    """The owned partitions. Batches and :meth:`let_go` exclude each other by the desk's lock.

    Args:
        settings: All settings.
        partition_count: Of the inputs and the journal.
        clock: Milliseconds since the epoch.
        intake: Told from where to read a partition once it is owned.
        feed: Must have reached the revision that a partition's journal knows.
        directory: Where this worker's stores lie.
        halt: Called when a partition cannot be taken over for good.
        metrics: Takes note of takeovers.
        checkpoints: From which stores are restored.
        core: Decides and folds.
    """

    def __init__(
        self,
        settings: Settings,
        partition_count: int,
        clock: Callable[[], int],
        intake: Intake,
        feed: LessonFeed,
        directory: Path,
        halt: Callable[[BaseException], None],
        metrics: Metrics,
        checkpoints: StateCheckpoints,
        core: Core,
    ) -> None:
        self.partitions: dict[int, Partition] = {}
        self.waiting = Waiting()
        self.folded: dict[int, int] = {}
        """How far the journal was folded in each takeover, while it goes on."""
        self._metrics = metrics
        self._checkpoints = checkpoints
        self._core = core
        self._settings = settings
        self._partition_count = partition_count
        self._clock = clock
        self._intake = intake
        self._feed = feed
        self._directory = directory
        self._halt = halt
        self._limit = DeadLetterLimit(
            settings.desk.dead_run_limit, settings.desk.dead_window, settings.desk.dead_share_limit
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._budget = CacheBudget()
        self._slots = asyncio.Semaphore(TAKEOVERS_AT_ONCE)

    def take(self, number: int, generation: int) -> None:
        """Take a partition over in the background, as long as its assignment stands."""
        task = asyncio.create_task(self._take(number, generation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def start(self, partition: Partition) -> None:
        """Have a partition read from where its fold stands."""
        identity = partition.identity
        self._intake.start(identity.partition, identity.generation, partition.position.sources)

    def let_go_revoked(self) -> None:
        """Let go of what was owned under an earlier assignment than the present one.

        A revocation may come late, when the next assignment's partitions are there already.
        """
        for partition in list(self.partitions.values()):
            if partition.identity.generation != self._intake.generation:
                self._let_go(partition)

    def throw_back(self, numbers: Iterable[int]) -> None:
        """Forget everything that is not on disk and claim the partitions again."""
        for number in numbers:
            partition = self.partitions.get(number)
            if partition is not None:
                self._let_go(partition)
                self._intake.halt(number, partition.identity.generation)
                self.take(number, partition.identity.generation)

    async def close(self) -> None:
        """Let go of everything; the intake is closed already."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)
        for partition in list(self.partitions.values()):
            self._let_go(partition)

    def _let_go(self, partition: Partition) -> None:
        partition.discard()
        partition.store.close()
        self._limit.forget(partition.identity.partition)
        del self.partitions[partition.identity.partition]

    async def _take(self, number: int, generation: int) -> None:
        def wanted() -> bool:
            return self._intake.generation == generation

        started_at_s = time.monotonic()
        while wanted():
            try:
                partition = await self._claim(number, generation, wanted)
            except UnavailableError as fault:
                self.waiting.note(number, fault)
                log.warning("takeover_waits", partition=number, error=str(fault))
                await asyncio.sleep(fault.retry_after_s)
            except Exception as fault:
                log.error("takeover_failed", partition=number, error=repr(fault))
                self._halt(fault)
                return
            else:
                if partition is not None:
                    self.partitions[number] = partition
                    self.start(partition)
                    self._metrics.observe(TAKEOVER_S, [time.monotonic() - started_at_s])
                    self.waiting.over(number)
                return

    async def _claim(
        self, number: int, generation: int, wanted: Callable[[], bool]
    ) -> Partition | None:
        async with self._slots:
            taken = await asyncio.to_thread(
                take_over,
                number,
                self._partition_count,
                generation,
                path=self._directory / str(number),
                kafka=self._settings.kafka,
                clock=self._clock,
                core=self._core,
                wanted=wanted,
                budget=self._budget,
                folded=lambda journal_next: self.folded.update({number: journal_next}),
                checkpoints=self._checkpoints,
            )
        if taken is None:
            return None
        identity, store = taken
        kept = False
        try:
            await self._feed.reach(store.position.revision, wanted)
            if not wanted():
                return None
            partition = Partition(
                identity,
                store,
                self._feed.learners,
                self._settings.masking_key.get_secret_value().encode(),
                self._settings.desk.tick_interval_ms,
                self._limit,
                self._core,
            )
            kept = True
            return partition
        finally:
            if not kept:
                store.close()  # or nobody could open it again
