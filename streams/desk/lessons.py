"""Folds all lessons into this worker's learners, in the background, between decisions."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable

import structlog

from models.learning import Learners
from schemas.errors import IncompatibleError, UnavailableError
from schemas.registry import LESSONS
from streams.desk.checkpoints import Checkpoints
from streams.desk.digests import Digests
from streams.journal.reader import is_on_log
from streams.kafka import KafkaError, TopicPartition, is_gap, make_consumer
from streams.settings import KafkaSettings

log = structlog.get_logger(__name__)

WAITING_LESSONS = 20_000
FETCH_RECORDS = 1_000
TOGETHER_S = 0.1
"""Lessons are handed over together: nobody waits for one of them."""
SLICE_LESSONS = 200
COMPARING_S = 10.0
RETRY_S = 60.0
"""After a checkpoint could not be written."""


class LessonFeed:
    """Reads the one partition of lessons in a thread; the desk folds between decisions.

    Args:
        kafka: The broker.
        checkpoints: Where to begin, and where to save every so many lessons.
        checkpoint_every: Lessons between two checkpoints.
        digests: Told of the learners at certain revisions, which must be those of everybody.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        checkpoints: Checkpoints,
        checkpoint_every: int,
        digests: Digests,
    ) -> None:
        self._kafka = kafka
        self._checkpoints = checkpoints
        self._checkpoint_every = checkpoint_every
        self._digests = digests
        self._rebuilt = True
        self._saving: asyncio.Task[None] | None = None
        self._closed = False
        self._retry_s = 0.0
        self.learners = Learners()
        self._saved_revision = 0
        self.seen_offset = 0
        """Offset up to which the partition was read and folded, control records included."""
        self.folded_count = 0
        """Lessons folded since the start."""
        self.saved_count = 0
        self.failed_count = 0
        self.newest_revision = 0
        """Of the newest checkpoint."""
        self.failure: BaseException | None = None
        self._waiting: queue.Queue[tuple[int, bytes | None]] = queue.Queue(WAITING_LESSONS)
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lessons", daemon=True)

    async def restore(self) -> None:
        """Begin with the newest checkpoint that is of these lessons; call it before :meth:`open`.

        Where the broker is away for long, begin with the first lesson: it is only slower.
        """
        if self._digests.must_rebuild:
            return
        try:
            saved = await asyncio.to_thread(self._load)
        except UnavailableError as fault:
            log.warning("checkpoints_not_compared", error=str(fault))
            return
        if saved is not None:
            log.info("learners_restored", revision=saved.revision, digest=saved.digest)
            self._rebuilt = False
            self.learners = saved
            self._saved_revision = self.newest_revision = self.seen_offset = saved.revision

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to read."""
        self._loop = loop
        self._digests.open(self._wake, self._rebuilt)
        self._thread.start()

    async def settle(self) -> None:
        """Compare what a checkpoint gave with what was published; before the first decision.

        Raises:
            IncompatibleError: it is not what everybody has; the checkpoints are discarded.
        """
        await asyncio.to_thread(self._digests.settle, self.learners, COMPARING_S)
        self.check()

    def check(self) -> None:
        """Make sure that the lessons can be read, and that the learners are those of everybody.

        Raises:
            IncompatibleError: they cannot; or the learners have departed, and the next start
                rebuilds them from the lessons.
        """
        if self.failure is not None:
            raise IncompatibleError(f"the lessons cannot be read: {self.failure}")
        if self._digests.departure is not None:
            self._checkpoints.discard()
            raise self._digests.departure

    async def arrival(self) -> None:
        """Wait until something was read."""
        await self._arrived.wait()
        self._arrived.clear()

    async def close(self) -> None:
        """Stop reading, learn no more, and save a checkpoint."""
        self._closed = True  # whoever still waits for a revision must not fold into what is saved
        self._stopping.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, 5.0)
        await asyncio.to_thread(self._digests.close, self.learners)
        if self._saving is not None:
            await self._saving
        await self._save()

    def apply(self, limit: int) -> int:
        """Fold up to ``limit`` waiting lessons; call it between the decisions of batches only.

        Returns:
            How many were folded.

        Raises:
            IncompatibleError: the lessons cannot be read on, or the learners have departed.
        """
        self.check()
        if self._closed or self._digests.resting or self._saving is not None:
            return 0  # decisions go on with the learners as they are
        if self._due():  # save only at a revision whose digest was published
            if not self._digests.begin(self.learners):
                self._saving = asyncio.get_running_loop().create_task(self._save())
            return 0
        count = 0
        while count < limit:
            try:
                offset, raw = self._waiting.get_nowait()
            except queue.Empty:
                break
            if raw is None:
                self.seen_offset = offset
                continue
            before = self.learners.revision
            self.learners.fold(raw, offset)
            self.seen_offset = offset + 1
            count += 1
            self.folded_count += 1
            due = self._due() or self._digests.passes(before, self.learners.revision)
            if due and self._digests.begin(self.learners):
                break
        return count

    async def reach(self, revision: int, wanted: Callable[[], bool]) -> None:
        """Fold on until the learners have reached a revision; revisions never go back.

        Stops early where it is not ``wanted`` any more.

        Raises:
            UnavailableError: not within 60 s without any progress.
        """
        idle_count = 0
        while self.learners.revision < revision and wanted():
            if self.apply(SLICE_LESSONS):
                idle_count = 0
                await asyncio.sleep(0)
            else:
                idle_count += 1
                if idle_count > 1200:
                    raise UnavailableError(
                        f"lessons end at {self.learners.revision}, the journal knows {revision}"
                    )
                await asyncio.sleep(0.05)

    def _due(self) -> bool:
        behind = self.learners.revision - self._saved_revision
        return behind >= self._checkpoint_every and time.monotonic() >= self._retry_s

    async def _save(self) -> None:
        """Save in a thread; the learners rest meanwhile."""
        if self.learners.revision == self._saved_revision or self._digests.departure is not None:
            return
        self._retry_s = time.monotonic() + RETRY_S
        try:
            path = await asyncio.to_thread(self._checkpoints.save, self.learners)
        except (OSError, UnavailableError) as fault:
            self.failed_count += 1
            log.error("checkpoint_not_saved", error=str(fault))
        else:
            self._retry_s = 0.0
            self.saved_count += 1
            self._saved_revision = self.newest_revision = self.learners.revision
            log.info("checkpoint_saved", path=path.name, revision=self.learners.revision)
        finally:
            self._saving = None
            self._arrived.set()

    def _load(self) -> Learners | None:
        try:
            self._checkpoints.shelf.tidy()
        except OSError as fault:
            log.warning("leftovers_stay", error=str(fault))
        consumer = make_consumer(self._kafka, group="riverdesk-desk-lessons")
        try:
            return self._checkpoints.newest(
                lambda revision, digest: is_on_log(consumer, LESSONS.name, 0, revision, digest)
            )
        finally:
            consumer.close()

    def _run(self) -> None:
        consumer = make_consumer(self._kafka, group="riverdesk-desk-lessons")
        try:
            consumer.assign([TopicPartition(LESSONS.name, 0, self.learners.revision)])
            while not self._stopping.is_set():
                messages = consumer.consume(FETCH_RECORDS, TOGETHER_S)
                for message in messages:
                    fault = message.error()
                    if fault is None:
                        self._put(message.offset() or 0, message.value() or b"")
                    elif fault.code() == KafkaError._PARTITION_EOF:
                        self._put(message.offset() or 0, None)
                    elif is_gap(fault):
                        raise IncompatibleError(f"lessons are missing from the log: {fault}")
                if messages:
                    self._wake()
        except BaseException as fault:
            self.failure = fault
            log.error("lessons_failed", error=repr(fault))
        finally:
            consumer.close()

    def _wake(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody folds any more
                self._loop.call_soon_threadsafe(self._arrived.set)

    def _put(self, offset: int, raw: bytes | None) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(queue.Full):
                self._waiting.put((offset, raw), timeout=0.2)
                return
