"""Learners that follow the lessons, forward only."""

from collections.abc import Iterator

from models.learning import Learners
from streams.journal.reader import Entry


class Following:
    """Folds lessons up to the revision that is asked for, never further.

    Args:
        lessons: All lessons, from the beginning.

    Attributes:
        learners: Where they stand.
        lesson_count: Lessons folded.
    """

    def __init__(self, lessons: Iterator[Entry]) -> None:
        self.learners = Learners()
        self.lesson_count = 0
        self._lessons = lessons
        self._waiting: Entry | None = None

    def reach(self, revision: int) -> Learners:
        """Give the learners at a revision, or as near to it as the lessons lead.

        Nothing happens if they are there or beyond already. Whoever compares a record sees by
        revision and chain digest, which stand in it, whether these were its learners.
        """
        while self.learners.revision < revision:
            entry = self._waiting or next(self._lessons, None)
            self._waiting = entry
            if entry is None or entry.offset >= revision:
                break
            self.learners.fold(entry.value, entry.offset)
            self.lesson_count += 1
            self._waiting = None
        return self.learners
