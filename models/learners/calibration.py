"""Logits made honest: how much each source of logits counts, learned while it runs.

Temperature scaling (Guo et al. 2017), here with one scale per source, fitted to the latest
lessons by online Newton steps on the log-loss of logits that did not know the lesson.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float64]

MEMORY = 1_000
"""Lessons after which an earlier one counts about a third."""

MAX_WEIGHT = 20.0
"""A lesson counts at most as much as this many."""

_STIFFNESS = 1.0
_SMALLEST, _LARGEST = 0.0, 20.0


class LogitScales:
    """Scales of two sources of logits, such that the softmax of their sum is calibrated.

    Args:
        first: scale of the first source before any lesson.
        second: scale of the second source before any lesson.
    """

    def __init__(self, first: float, second: float) -> None:
        self.first = first
        self.second = second
        self._curvature = [_STIFFNESS, 0.0, _STIFFNESS]
        self.lesson_count = 0

    def mix(self, first: Logits, second: Logits) -> Logits:
        """Return the calibrated logits."""
        mixed: Logits = self.first * first + self.second * second
        return mixed

    def learn(self, first: Logits, second: Logits, column: int, w: float = 1.0) -> None:
        """Learn that ``column`` was right where the sources said these logits.

        Args:
            first: logits of the first source, of a learner that has not learned the lesson.
            second: logits of the second source, likewise.
            column: where the right class is.
            w: weight of the lesson (inverse propensity), at least 0; cut to `MAX_WEIGHT`.
        """
        w = min(w, MAX_WEIGHT)
        if w <= 0.0 or len(first) < 2:
            return
        shares = softmax(self.mix(first, second))
        one, two = first - first[column], second - second[column]
        mean_one, mean_two = _mean(shares, one), _mean(shares, two)
        keep = 1.0 - w / (MEMORY + w)
        a, b, d = self._curvature
        a = keep * a + w * (_mean(shares, one * one) - mean_one * mean_one)
        b = keep * b + w * (_mean(shares, one * two) - mean_one * mean_two)
        d = keep * d + w * (_mean(shares, two * two) - mean_two * mean_two)
        self._curvature = [a, b, d]
        a, d = a + _STIFFNESS, d + _STIFFNESS
        area = a * d - b * b
        self.first = _cut(self.first - w * (d * mean_one - b * mean_two) / area)
        self.second = _cut(self.second - w * (a * mean_two - b * mean_one) / area)
        self.lesson_count += 1

    def content(self) -> list[object]:
        """Return everything that decides the future, for digests."""
        return [self.first, self.second, *self._curvature, self.lesson_count]


def softmax(logits: Logits) -> Logits:
    """Return the shares that the logits stand for; they sum to 1."""
    shares: Logits = np.exp(logits - np.maximum.reduce(logits))
    shares /= np.add.reduce(shares)
    return shares


def expected_calibration_error(answers: Sequence[tuple[float, bool]], bin_count: int = 15) -> float:
    """Return by how much confidence and accuracy differ, in [0, 1].

    Args:
        answers: confidence in [0, 1] of each answer, and whether it was right.
        bin_count: equally wide bins of confidence.
    """
    gaps = [0.0] * bin_count
    for confidence, right in answers:
        gaps[min(int(confidence * bin_count), bin_count - 1)] += right - confidence
    return sum(map(abs, gaps)) / max(len(answers), 1)


def _mean(shares: Logits, values: Logits) -> float:
    return float(np.add.reduce(shares * values))


def _cut(scale: float) -> float:
    return min(max(scale, _SMALLEST), _LARGEST)
