"""What the intake hands over: batches of slices of records."""

from dataclasses import dataclass
from typing import NamedTuple

from streams.intake.continuity import Positions


class Raw(NamedTuple):
    """One record as it came."""

    published_ms: int
    topic: str
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive records of one partition number, of all topics that are read together.

    Args:
        partition: The partition number.
        generation: Of the assignment that it was read under.
        continues: For every topic of the partition, also those without a record in it, the offset
            that was to come next when it was read.
        ends: For each of them, the offset that comes next after it.
        records: In order within a topic, merged by publishing time across topics.
        unread_ms: Publishing time below which nothing is unread, in ms; ``None`` if all was read.
    """

    partition: int
    generation: int
    continues: Positions
    ends: Positions
    records: list[Raw]
    unread_ms: int | None


Batch = list[Slice]
