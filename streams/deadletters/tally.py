"""The dead letters at a glance: how many of which kind, and the newest few."""

import heapq
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from streams.deadletters.letters import Letter, Place


class Kind(NamedTuple):
    """What letters are counted by."""

    topic: str
    stage: str
    error: str


@dataclass(slots=True)
class Count:
    """Letters of one kind.

    Args:
        letter_count: All of them.
        open_count: Of these, not sent again.
        first_ms: When the oldest was refused, milliseconds since the epoch.
        last_ms: When the newest was.
    """

    letter_count: int
    open_count: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by kind, and the newest letters without their payloads, newest first."""

    counts: dict[Kind, Count] = field(default_factory=dict)
    newest: list[Letter] = field(default_factory=list)

    @property
    def letter_count(self) -> int:
        """All letters."""
        return sum(count.letter_count for count in self.counts.values())


def tally(letters: Iterable[Letter], redriven: Container[Place], limit: int) -> Tally:
    """Count letters as they come and keep the ``limit`` newest of them."""
    made = Tally()
    newest: list[tuple[int, Place, Letter]] = []
    for letter in letters:
        _count(made.counts, letter, letter.place not in redriven)
        bare = replace(letter, key=None, value=None, headers=())
        entry = (letter.failed_ms, letter.place, bare)  # no two have one place
        if len(newest) < limit:
            heapq.heappush(newest, entry)
        elif newest and entry > newest[0]:
            heapq.heapreplace(newest, entry)
    made.newest.extend(letter for _, _, letter in sorted(newest, reverse=True))
    return made


def _count(counts: dict[Kind, Count], letter: Letter, is_open: bool) -> None:
    kind, at_ms = Kind(letter.place.topic, letter.stage, letter.error), letter.failed_ms
    count = counts.setdefault(kind, Count(0, 0, at_ms, at_ms))
    count.letter_count += 1
    count.open_count += is_open
    count.first_ms = min(count.first_ms, at_ms)
    count.last_ms = max(count.last_ms, at_ms)
