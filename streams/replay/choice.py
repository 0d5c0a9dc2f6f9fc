"""Which decisions are checked: all, those of a time, or a sample spread over the whole log."""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from models import core
from schemas.codec import decode_json
from streams.journal.acceptance import Reading
from streams.replay.logs import Logs

OTHER_VERSION = "other_version"
DECIDED = ("ticket", "transaction", "feedback", "tick", "policy")
"""Kinds that can be decided again; of dead and duplicate records the journal has no event."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time: ``from_ms <= decided_at < to_ms``; an open side is ``None``."""

    from_ms: int | None = None
    to_ms: int | None = None

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Tell whether an accepted record was decided in it; a claim never is."""
        at_ms = record.get("decided_ms")
        return (
            at_ms is not None
            and (self.from_ms is None or at_ms >= self.from_ms)
            and (self.to_ms is None or at_ms < self.to_ms)
        )


def obstacle(record: Mapping[str, Any]) -> str | None:
    """Say why an accepted record cannot be decided again by this code; ``None`` if it can."""
    if record["kind"] not in DECIDED:
        return str(record["kind"])
    return None if record.get("core") == core.CORE_VERSION else OTHER_VERSION


def is_eligible(window: Window) -> Callable[[Mapping[str, Any]], bool]:
    """Give what tells whether an accepted record may be chosen."""
    return lambda record: window.holds(record) and obstacle(record) is None


@dataclass(slots=True)
class Survey:
    """What a first pass over the journal found.

    Attributes:
        counts: Eligible records of each partition.
        ends: Behind the last eligible record of each partition.
        obstacles: Records of the window that cannot be decided again, by reason.
        ignored_count: Records that the reader's rule does not accept.
    """

    counts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    obstacles: Counter[str] = field(default_factory=Counter)
    ignored_count: int = 0


def survey(logs: Logs, window: Window, tell: Callable[[int], None]) -> Survey:
    """Read the whole journal and count what may be chosen.

    Args:
        logs: The logs.
        window: Records of other times are not counted.
        tell: Called with the number of records read so far.
    """
    found, read_count = Survey(), 0
    for partition in range(logs.partition_count):
        reading, count, end = Reading(), 0, 0
        for entry in logs.journal(partition, logs.journal_end(partition)):
            read_count += 1
            tell(read_count)
            record: Mapping[str, Any] = decode_json(entry.value)
            accepted = reading.accept(record)
            if accepted is None:
                found.ignored_count += 1
                continue
            reading = accepted
            if not window.holds(record):
                continue
            reason = obstacle(record)
            if reason is None:
                count, end = count + 1, entry.offset + 1
            else:
                found.obstacles[reason] += 1
        found.counts.append(count)
        found.ends.append(end)
    return found


def choose(counts: Sequence[int], sample: int | None, seed: int) -> list[Sequence[int]]:
    """Choose eligible records by their place among those of their partition, from 0 on.

    A sample takes one record at random out of each of ``sample`` equal stretches of the log, the
    partitions laid end to end: no partition and no time is left out by chance.

    >>> choose([3, 2], None, seed=1)
    [range(0, 3), range(0, 2)]
    >>> [len(places) for places in choose([600, 300, 100], 10, seed=1)]
    [6, 3, 1]

    Args:
        counts: Eligible records of each partition.
        sample: How many to draw; all where there are not more, or where it is ``None``.
        seed: Draws the same places again.

    Returns:
        For each partition the places, rising.
    """
    total = sum(counts)
    if sample is None or sample >= total:
        return [range(count) for count in counts]
    ends, draw = list(accumulate(counts)), random.Random(seed)
    chosen: list[list[int]] = [[] for _ in counts]
    for place in _one_of_each_stretch(total, sample, draw):
        partition = bisect_right(ends, place)
        chosen[partition].append(place - (ends[partition] - counts[partition]))
    return list(chosen)


def _one_of_each_stretch(total: int, sample: int, draw: random.Random) -> Iterator[int]:
    for number in range(sample):
        yield draw.randrange(number * total // sample, (number + 1) * total // sample)
