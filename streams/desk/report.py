"""What the desk says of itself: to operators, to the watchdog, to Prometheus."""

from collections import Counter
from typing import Any

from confluent_kafka import OFFSET_BEGINNING

from models.quality.board import LEARNERS
from models.quality.report import REPORTER
from schemas.registry import INPUTS, LESSONS
from streams.desk.digests import Digests
from streams.desk.lessons import LessonFeed
from streams.desk.ownership import Ownership
from streams.desk.partition import Partition
from streams.desk.state_keeper import StateKeeper
from streams.health import catalogue
from streams.health.metrics import Metrics
from streams.health.standing import Standing


class Report:
    """Looks at the parts of a desk and changes none.

    Args:
        worker: The desk's name.
        partition_count: Of the inputs and the journal.
        owned: Its partitions.
        feed: Its learners.
        digests: What they were compared with.
        keeper: The checkpoints of its partitions.
    """

    def __init__(
        self,
        worker: str,
        partition_count: int,
        owned: Ownership,
        feed: LessonFeed,
        digests: Digests,
        keeper: StateKeeper,
    ) -> None:
        self._worker = worker
        self._partition_count = partition_count
        self._owned = owned
        self._feed = feed
        self._digests = digests
        self._keeper = keeper

    def status(self) -> dict[str, Any]:
        """Give what an operator or a barrier wants to know."""
        learners = self._feed.learners
        return {
            "role": "desk",
            "worker": self._worker,
            "partition_count": self._partition_count,
            "revision": learners.revision,
            "digest": learners.digest,
            "lessons_seen": self._feed.seen_offset,
            "compared": self._digests.status(),
            "partitions": {
                str(number): {
                    "epoch": partition.identity.epoch,
                    "number": partition.store.position.reading.number,
                    "journal_next": partition.store.position.journal_next,
                    "sources": partition.store.position.sources,
                    "tick_ms": partition.position.tick_ms,
                    "policy": partition.policy.digest,
                    "began_with": partition.store.origin,
                    "began_at": partition.store.began_at,
                    "checkpoint_at": self._keeper.saved_at(number),
                }
                for number, partition in sorted(self._owned.partitions.items())
            },
        }

    def standing(self) -> Standing:
        """Say how far the desk is; called in any thread."""
        lessons = (LESSONS.name, 0)
        positions = {
            (topic.name, number): partition.store.position.sources.get(topic.name, OFFSET_BEGINNING)
            for number, partition in list(self._owned.partitions.items())
            for topic in INPUTS
        }
        return Standing(
            positions | {lessons: self._feed.seen_offset},
            self._owned.waiting,
            frozenset({lessons}),
            (tuple(self._owned.folded.copy().items()), self._feed.seen_offset),
        )

    def measure(self, metrics: Metrics) -> None:
        """Set the gauges among the metrics to how things stand."""
        partitions, feed = self._owned.partitions, self._feed
        metrics.show_each(
            catalogue.EPOCH,
            (((str(number),), each.identity.epoch) for number, each in partitions.items()),
        )
        metrics.show_each(
            catalogue.OFFSET,
            (
                ((str(number),), each.store.position.journal_next)
                for number, each in partitions.items()
            ),
        )
        policies = Counter(
            (str(each.policy.version), each.policy.digest) for each in partitions.values()
        )
        metrics.show_each(catalogue.POLICY, policies.items())
        metrics.show(catalogue.REVISION, feed.learners.revision)
        board = feed.learners.quality
        metrics.show_each(
            catalogue.TRUSTED, (((learner,), board.trusts(learner)) for learner in LEARNERS)
        )
        metrics.show(catalogue.DRIFTS, board.drift.signal_count)
        metrics.show(catalogue.REPORTED, _reported_revision(partitions.get(REPORTER)))
        metrics.show(catalogue.LESSONS, feed.folded_count)
        for what, kept in (("learners", feed), ("state", self._keeper)):
            metrics.show(catalogue.CHECKPOINTS, kept.saved_count, what, "saved")
            metrics.show(catalogue.CHECKPOINTS, kept.failed_count, what, "failed")
        metrics.show(catalogue.CHECKPOINT_AGE, feed.learners.revision - feed.newest_revision)


def _reported_revision(partition: Partition | None) -> int:
    ledger = None if partition is None else partition.store.get("ledger", "")
    reported = None if ledger is None else ledger.get("quality")
    return 0 if reported is None else int(reported["revision"])
