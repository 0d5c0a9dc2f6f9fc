"""Scores that wait to be judged, in columns: a million rows in a few dozen megabytes."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.evaluation.dates import name_of
from models.metrics import Floats, average_precision


class Scored:
    """Rows with their day, card, label and the scores of all contestants."""

    def __init__(self) -> None:
        self._days = array("q")
        self._cards: list[str] = []
        self._labels = array("b")
        self._known = array("b")
        self._scores: list[array[float]] = []

    def __len__(self) -> int:
        return len(self._days)

    def add(
        self, day: int, card: str, is_fraud: bool, scores: Sequence[float], known: bool
    ) -> None:
        """Add a row; ``known`` says that its card was known to be compromised beforehand."""
        self._days.append(day)
        self._cards.append(card)
        self._labels.append(is_fraud)
        self._known.append(known)
        if not self._scores:
            self._scores = [array("d") for _ in scores]
        for column, score in zip(self._scores, scores, strict=True):
            column.append(score)

    @property
    def days(self) -> npt.NDArray[np.int64]:
        """The day of each row."""
        return np.array(self._days, np.int64)

    @property
    def cards(self) -> npt.NDArray[Any]:
        """The card of each row."""
        return np.array(self._cards, object)

    @property
    def labels(self) -> npt.NDArray[np.bool_]:
        """Whether each row was fraud."""
        return np.array(self._labels, bool)

    @property
    def fresh(self) -> npt.NDArray[np.bool_]:
        """Whether each row's card was not known to be compromised."""
        return ~np.array(self._known, bool)

    def scores(self, contestant: int) -> Floats:
        """Give one contestant's score of each row."""
        return np.array(self._scores[contestant], np.float64)

    def by_name(self, names: Sequence[str]) -> dict[str, Any]:
        """Give the average precision of each contestant, with how many rows it is from."""
        labels = self.labels
        found: dict[str, Any] = {
            "from": name_of(self._days[0]),
            "rows": len(self),
            "frauds": int(labels.sum()),
        }
        for at, name in enumerate(names):
            value = average_precision(labels, self.scores(at))
            found[name] = None if np.isnan(value) else round(value, 5)
        return found
