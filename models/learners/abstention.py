"""From which confidence on an answer is right as often as asked for."""

import math
from bisect import bisect_right
from typing import Any

import numpy as np
import numpy.typing as npt

MEMORY = 2_000
"""Lessons after which an earlier one counts about a third."""

MAX_WEIGHT = 20.0
"""A lesson counts at most as much as this many."""

MIN_ANSWERS = 50.0
"""Answers above a threshold, in effect, before it is given."""

_STEP = 0.05
_EDGES = [0.0] + [1.0 / (1.0 + math.exp(-_STEP * step)) for step in range(-100, 160)]


class AnswerPrecision:
    """Share of right answers above each confidence, over the latest lessons.

    Confidences are kept in bins of .05 on the scale of log-odds.
    """

    def __init__(self) -> None:
        # Rows: weight of all answers, of the right ones, and the squares of the weights.
        self._bins: npt.NDArray[np.float64] = np.zeros((3, len(_EDGES)))
        self._found: tuple[float, float | None] | None = None  # for which precision, which

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_found": None}

    def learn(self, confidence: float, right: bool, w: float = 1.0) -> None:
        """Learn whether an answer, given before its label was learned, was right.

        Args:
            confidence: of the answer, in [0, 1].
            right: whether it was the label.
            w: weight of the lesson (inverse propensity), at least 0; cut to `MAX_WEIGHT`.
        """
        w = min(w, MAX_WEIGHT)
        if w <= 0.0:
            return
        self._found = None
        self._bins *= 1.0 - w / (MEMORY + w)
        bin_ = bisect_right(_EDGES, confidence) - 1
        self._bins[0, bin_] += w
        self._bins[1, bin_] += w * right
        self._bins[2, bin_] += w * w

    def confidence_for(self, precision: float) -> float | None:
        """Return the lowest confidence from which on ``precision`` of the answers are right.

        One answer more than were seen is counted as wrong. None while fewer than `MIN_ANSWERS`
        (in effect, where weights differ) were seen above any such confidence.
        """
        if self._found is None or self._found[0] != precision:
            self._found = precision, self._find(precision)
        return self._found[1]

    def content(self) -> list[object]:
        """Return everything that decides the future, for digests."""
        return [self._bins]

    def _find(self, precision: float) -> float | None:
        every, right, square = np.add.accumulate(self._bins[:, ::-1], axis=1)
        enough = (right >= precision * (every + 1.0)) & (every * every >= MIN_ANSWERS * square)
        found = np.flatnonzero(enough & (every > 0.0))
        return _EDGES[len(_EDGES) - 1 - int(found[-1])] if len(found) else None
