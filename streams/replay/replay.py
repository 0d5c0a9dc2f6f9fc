"""Decides again what was decided, from the logs alone, and compares the bytes.

State is folded from the journal up to the record before, learners from the lessons up to the
revision that the record names; the policy in force stands in the journal too. Within a partition
a revision never goes back: so all partitions are walked side by side, the one with the lowest
revision first, and one fold of the lessons serves them all.
"""

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from models.core import CORE_VERSION
from schemas.errors import RejectedError
from streams.replay.again import Replayed
from streams.replay.choice import OTHER_VERSION, Window, choose, is_eligible, obstacle, survey
from streams.replay.lessons import Following
from streams.replay.logs import KafkaLogs, Logs
from streams.replay.outcome import SHOWN_DIFFERENCES, Outcome
from streams.replay.track import Track
from streams.settings import KafkaSettings

TELL_EVERY_RECORDS = 250

Tell = Callable[[str, int, int], None]
"""Takes what is being done, how many records are done, and of how many."""


def replay_many(
    kafka: KafkaSettings,
    partition_count: int,
    *,
    sample: int | None = None,
    window: Window | None = None,
    seed: int = 1,
    tell: Tell = lambda doing, done, total: None,
) -> Outcome:
    """Decide many journal records again.

    What is appended meanwhile is not looked at. The logs are read as streams; memory holds one
    packed state for each partition, which grows with what a desk's store grows with.

    Args:
        kafka: The broker that holds the journal and the lessons.
        partition_count: Of the journal.
        sample: Check so many, spread over the whole log; all where it is ``None``.
        window: Check decisions of this time only.
        seed: Draws the same sample again from the same log.
        tell: Told now and then how far it is.

    Raises:
        UnavailableError: the broker is away.
        IncompatibleError: the logs have lost records, or hold what no desk wrote.
    """
    with KafkaLogs(kafka, partition_count) as logs:
        return replay_logs(logs, sample=sample, window=window or Window(), seed=seed, tell=tell)


def replay_logs(
    logs: Logs,
    *,
    sample: int | None = None,
    window: Window | None = None,
    seed: int = 1,
    tell: Tell = lambda doing, done, total: None,
) -> Outcome:
    """Do the same with given logs."""
    started_s = time.perf_counter()
    window = window or Window()
    journal_count = sum(logs.journal_end(number) for number in range(logs.partition_count))
    found = survey(logs, window, _now_and_then(tell, "reading", journal_count))
    tracks = [
        Track(
            partition,
            logs.partition_count,
            logs.journal(partition, found.ends[partition]),
            is_eligible(window),
            chosen,
            logs.lessons_end,
        )
        for partition, chosen in enumerate(choose(found.counts, sample, seed))
    ]
    tally, following = _Tally(), Following(logs.lessons())
    told = _now_and_then(tell, "replaying", sum(found.ends))
    for track in _side_by_side(tracks):
        if track.is_chosen:
            tally.note(track.decide_again(following.reach(track.revision)))
        track.fold()
        tally.folded_count += 1
        told(tally.folded_count)
    other_version = found.obstacles.pop(OTHER_VERSION, 0)
    return Outcome(
        checked=tally.checked_count,
        equal=tally.checked_count - tally.differing_count,
        differing=tally.differing_count,
        differences=tuple(tally.differences),
        not_replayable=dict(sorted(found.obstacles.items())),
        other_version=other_version,
        ignored_records=found.ignored_count,
        folded_records=tally.folded_count,
        folded_lessons=following.lesson_count,
        deciding_s=tally.deciding_s,
        took_s=time.perf_counter() - started_s,
    )


def replay_one(kafka: KafkaSettings, partition_count: int, decision: str) -> Replayed:
    """Decide one journal record again.

    Args:
        kafka: The broker that holds the journal and the lessons.
        partition_count: Of the journal.
        decision: Partition/number.

    Raises:
        RejectedError: there is no such decision, or it cannot be made again by this code.
        UnavailableError, IncompatibleError: as :func:`replay_many`.
    """
    partition, number = _parse(decision, partition_count)
    with KafkaLogs(kafka, partition_count) as logs:
        track = Track(
            partition,
            partition_count,
            logs.journal(partition, logs.journal_end(partition)),
            lambda record: record.get("number") == number,
            [0],
            logs.lessons_end,
        )
        while track.record is not None and not track.is_chosen:
            track.fold()
        if track.record is None:
            raise RejectedError(
                f"{decision} is not in the journal: it ends at {track.reading.number}"
            )
        reason = obstacle(track.record)
        if reason == OTHER_VERSION:
            raise RejectedError(
                f"other version: {decision} was decided by core {track.record.get('core')}, "
                f"this is {CORE_VERSION}"
            )
        if reason is not None:
            raise RejectedError(f"{decision} is a {reason} record: nothing was decided on features")
        return track.decide_again(Following(logs.lessons()).reach(track.revision))


@dataclass(slots=True)
class _Tally:
    checked_count: int = 0
    differing_count: int = 0
    differences: list[Replayed] = field(default_factory=list)
    deciding_s: float = 0.0
    folded_count: int = 0

    def note(self, again: Replayed) -> None:
        self.checked_count += 1
        self.deciding_s += again.took_s
        if not again.equal:
            self.differing_count += 1
            if len(self.differences) < SHOWN_DIFFERENCES:
                self.differences.append(again)


def _side_by_side(tracks: Sequence[Track]) -> Iterator[Track]:
    """Give the track whose next record has the lowest revision, until all have ended.

    Whoever takes a track folds its next record.
    """
    waiting = [(track.revision, track.partition) for track in tracks if track.record is not None]
    heapq.heapify(waiting)
    while waiting:
        track = tracks[waiting[0][1]]
        yield track
        if track.record is None:
            heapq.heappop(waiting)
        else:
            heapq.heapreplace(waiting, (track.revision, track.partition))


def _parse(decision: str, partition_count: int) -> tuple[int, int]:
    partition, _, number = decision.partition("/")
    if not (partition.isdigit() and number.isdigit()) or int(partition) >= partition_count:
        raise RejectedError(
            f"{decision!r} is no decision: give partition/number, partition below {partition_count}"
        )
    return int(partition), int(number)


def _now_and_then(tell: Tell, doing: str, total: int) -> Callable[[int], None]:
    def told(done: int) -> None:
        if done % TELL_EVERY_RECORDS == 0:
            tell(doing, done, total)

    return told
