"""Lessons remembered to be learned again: a uniform sample of all, in bounded room."""

import random
from dataclasses import dataclass

import numpy as np

from models.learners.feature_rows import Rows
from models.learners.text import Values


@dataclass(slots=True, eq=False)
class Memory:
    """What replay needs of a text: its rows, its label's column, how often it was got wrong."""

    rows: Rows
    counts: Values
    word_count: int
    words_weight: float
    column: int
    lesson_id: str
    miss_count: int = 0


class Reservoir:
    """Every lesson so far is remembered with equal chance (Vitter 1985, algorithm R).

    Args:
        size: lessons remembered at most.
        seed: of its own generator.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._rng = random.Random(seed)
        self._kept: list[Memory] = []
        self._offered_count = 0

    def __len__(self) -> int:
        return len(self._kept)

    def draw(self) -> Memory:
        """Return any of the remembered lessons; there must be one."""
        return self._kept[self._rng.randrange(len(self._kept))]

    def remember(self, memory: Memory) -> None:
        """Offer a lesson."""
        self._offered_count += 1
        if len(self._kept) < self._size:
            self._kept.append(memory)
            return
        slot = self._rng.randrange(self._offered_count)
        if slot < self._size:
            self._kept[slot] = memory

    def replace(self, lesson_id: str, memory: Memory) -> bool:
        """Put a lesson where the one that it corrects was remembered; False if that is gone."""
        for slot, earlier in enumerate(self._kept):
            if earlier.lesson_id == lesson_id:
                self._kept[slot] = memory
                return True
        return False

    def content(self) -> list[object]:
        """Return everything as a few long arrays: thousands of short ones are slow to digest."""
        kept = self._kept
        return [
            [self._size, self._offered_count],
            self._rng.getstate(),
            np.array([[len(m.rows), m.word_count, m.column, m.miss_count] for m in kept], np.int64),
            [m.lesson_id for m in kept],
            np.array([m.words_weight for m in kept], np.float64),
            np.concatenate([np.zeros(0, np.intp), *(m.rows for m in kept)]).astype(np.int64),
            np.concatenate([np.zeros(0, np.float32), *(m.counts for m in kept)]),
        ]
