"""Publishes what this worker's learners are at a revision, and compares it with the others.

A thread of its own computes the digest while the learners rest (lessons wait, decisions go on),
publishes it, and reads the topic. Only what has come back from the topic is compared: its order is
the same for every worker.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

from models.learning import Learners
from models.machine import machine_name
from models.version import CORE_VERSION
from schemas.codec import decode, encode
from schemas.digests import LEARNERS_DIGEST, LearnersDigest
from schemas.errors import IncompatibleError, MalformedError, RejectedError, UnavailableError
from schemas.registry import DIGESTS
from streams.desk.agreement import Agreement, Verdict
from streams.journal.writer import Outgoing, Writer
from streams.kafka import (
    METADATA_TIMEOUT_S,
    Consumer,
    KafkaException,
    TopicPartition,
    make_consumer,
)
from streams.settings import KafkaSettings

log = structlog.get_logger(__name__)

LOOK_BACK_RECORDS = 10_000
UNSENT_RECORDS = 1_000
FETCH_RECORDS = 1_000
RETRY_S = 2.0
CLOSE_S = 5.0


class Digests:
    """The digests of one start of a worker, and what the comparison has come to.

    Args:
        kafka: The broker.
        worker: Our name.
        every: Publish whenever the revision passes a multiple of this, >= 1.
        clock: Milliseconds since the epoch.
        mark: A file of this worker's own; it is there from a departure until the learners that
            were rebuilt have been compared.

    Attributes:
        departure: Why this worker must stop, once its learners are not what they must be.
        failure: What ended the thread.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        worker: str,
        every: int,
        clock: Callable[[], int],
        mark: Path,
    ) -> None:
        self.departure: IncompatibleError | None = None
        self.failure: BaseException | None = None
        self.compared: Verdict | None = None
        """The latest comparison."""
        self._kafka = kafka
        self._worker = worker
        self._every = every
        self._rebuilt = False
        self._clock = clock
        self._mark = mark
        self._start = uuid4().hex
        self._agreement = Agreement(self._start)
        self._tasks: queue.Queue[Learners] = queue.Queue(1)
        self._unsent: deque[LearnersDigest] = deque(maxlen=UNSENT_RECORDS)
        self._busy = threading.Event()
        self._begun_at = 0
        self._named: set[str] = set()
        """Starts of others that were said to have departed."""
        self._heard_at = -1
        """The latest own revision that has come back from the topic."""
        self._wake: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="digests", daemon=True)

    @property
    def must_rebuild(self) -> bool:
        """Whether no checkpoint may be used: the last start departed, or the one before it."""
        return self._mark.exists()

    @property
    def resting(self) -> bool:
        """Whether a digest is being computed: the learners must not change meanwhile."""
        return self._busy.is_set()

    def open(self, wake: Callable[[], None], rebuilt: bool) -> None:
        """Begin to read and compare.

        Args:
            wake: Called when lessons may be folded again, and when they must not at all.
            rebuilt: Whether the learners began at the first lesson, not at a checkpoint.
        """
        self._wake = wake
        self._rebuilt = rebuilt
        self._thread.start()

    def passes(self, before: int, after: int) -> bool:
        """Tell whether a digest is due between two revisions: the log alone decides it."""
        return before // self._every != after // self._every

    def begin(self, learners: Learners) -> bool:
        """Digest, publish and compare the learners as they are; they rest until it is computed.

        Returns:
            Whether it was begun; once a revision is enough.
        """
        if not self._thread.is_alive() or self._begun_at == learners.revision:
            return False
        self._begun_at = learners.revision
        self._busy.set()
        self._tasks.put(learners)
        return True

    def settle(self, learners: Learners, patience_s: float) -> None:
        """Wait until the learners have been compared at their revision; blocks.

        Where the broker does not give the topic in time, go on: comparing is a check, and the
        next revision is checked too.
        """
        if learners.revision == 0:
            return
        self.begin(learners)
        deadline = time.monotonic() + patience_s
        while self._heard_at < learners.revision and self._thread.is_alive():
            if time.monotonic() > deadline:
                log.warning("digests_not_compared", revision=learners.revision)
                return
            time.sleep(0.01)

    def close(self, learners: Learners) -> None:
        """Publish what the learners are at the end and stop; blocks."""
        if self.departure is None:
            self.begin(learners)
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def status(self) -> dict[str, Any] | None:
        """Give the latest comparison, ``None`` before the first."""
        verdict = self.compared
        if verdict is None:
            return None
        return {
            "verdict": verdict.kind,
            "revision": verdict.revision,
            "with": verdict.other.worker,
            "content": verdict.own.content,
        }

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        consumer = make_consumer(
            self._kafka, group="riverdesk-desk-digests", auto_offset_reset="earliest"
        )
        writer = Writer(self._kafka)
        assigned = False
        retry_at = 0.0
        try:
            while not self._stopping.is_set() or not self._tasks.empty() or self._unsent:
                self._compute()
                if self._stopping.is_set() and time.monotonic() < retry_at:
                    return
                if time.monotonic() >= retry_at:
                    try:
                        assigned = assigned or _assign(consumer)
                        self._publish(writer)
                    except UnavailableError as fault:
                        log.warning("digests_wait", error=str(fault))
                        retry_at = time.monotonic() + RETRY_S
                if not assigned:
                    self._stopping.wait(0.1)
                    continue
                for message in consumer.consume(FETCH_RECORDS, 0.1):
                    if message.error() is None:
                        self._hear(message.value() or b"")
        except BaseException as fault:
            self.failure = fault
            log.exception("digests_failed", error=repr(fault))
        finally:
            self._busy.clear()
            consumer.close()

    def _compute(self) -> None:
        try:
            learners = self._tasks.get_nowait()
        except queue.Empty:
            return
        started_at = time.perf_counter()
        record: LearnersDigest = {
            "worker": self._worker,
            "start": self._start,
            "revision": learners.revision,
            "chain": learners.digest,
            "content": learners.content_digest(),
            "skipped": learners.skipped,
            "rebuilt": self._rebuilt,
            "fingerprint": Learners.fingerprint(),
            "core": CORE_VERSION,
            "platform": machine_name(),
            "every": self._every,
            "at_ms": self._clock(),
        }
        self._busy.clear()
        self._wake()
        self._unsent.append(record)
        log.info(
            "learners_digested",
            revision=record["revision"],
            content=record["content"],
            took_ms=round((time.perf_counter() - started_at) * 1000, 1),
        )

    def _publish(self, writer: Writer) -> None:
        if self._unsent:
            key = self._worker.encode()
            sent_count = len(self._unsent)
            writer.append_now(
                [Outgoing(DIGESTS.name, 0, key, encode(record)) for record in self._unsent]
            )
            for _ in range(sent_count):
                self._unsent.popleft()

    def _hear(self, raw: bytes) -> None:
        try:
            record = decode(LEARNERS_DIGEST, raw)
        except (MalformedError, RejectedError) as fault:
            log.warning("digest_refused", error=str(fault))
            return
        verdict = self._agreement.hear(record)
        if verdict is not None:
            self._weigh(verdict)
        if record["start"] == self._start:
            self._heard_at = max(self._heard_at, record["revision"])
            self._unmark(record["revision"])

    def _weigh(self, verdict: Verdict) -> None:
        if self.departure is not None:
            return
        self.compared = verdict
        if verdict.kind == "agreed":
            return
        own, other = verdict.own, verdict.other
        facts = {
            "revision": verdict.revision,
            "worker": own.worker,
            "chain": own.chain,
            "content": own.content,
            "rebuilt": own.rebuilt,
            "other_worker": other.worker,
            "other_chain": other.chain,
            "other_content": other.content,
            "other_rebuilt": other.rebuilt,
        }
        if verdict.kind == "contradicted":
            if other.start not in self._named:
                self._named.add(other.start)
                log.warning("other_learners_departed", **facts)
            return
        log.error("learners_departed", **facts)
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        self._mark.write_text(str(verdict.revision))
        self.departure = IncompatibleError(
            f"the learners of {own.worker} depart at revision {verdict.revision}: "
            f"chain {own.chain} content {own.content}, but {other.worker} has "
            f"chain {other.chain} content {other.content}; "
            + (
                "both were rebuilt from the lessons: a person must find out why"
                if own.rebuilt
                else "they are rebuilt from the lessons at the next start"
            )
        )
        self._wake()

    def _unmark(self, revision: int) -> None:
        """Forget the departure of an earlier start, once this one stands beyond it undisputed."""
        if self.departure is None and self._rebuilt and self._mark.exists():
            departed_at = self._mark.read_text()
            if not departed_at.isdigit() or revision >= int(departed_at):
                self._mark.unlink(missing_ok=True)


def _assign(consumer: Consumer) -> bool:
    """Read the topic from a bounded look-back on.

    Raises:
        UnavailableError: the broker is away or has no such topic (`riverdesk topics create`).
    """
    try:
        low, high = consumer.get_watermark_offsets(
            TopicPartition(DIGESTS.name, 0), timeout=METADATA_TIMEOUT_S
        )
    except KafkaException as fault:
        raise UnavailableError(f"{DIGESTS.name} cannot be read: {fault}") from fault
    start = max(low, high - LOOK_BACK_RECORDS)
    consumer.assign([TopicPartition(DIGESTS.name, 0, start)])
    return True
