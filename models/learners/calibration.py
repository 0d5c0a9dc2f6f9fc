"""Logits made honest: by how much to multiply them, learned while the learner runs.

Temperature scaling (Guo et al. 2017), fitted to the latest lessons by online Newton steps on the
log-loss of logits that did not know the lesson.
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
_SMALLEST, _LARGEST = 0.01, 20.0


class LogitScale:
    """The number by which logits are multiplied so that their softmax is calibrated.

    Args:
        scale: before any lesson.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._curvature = 0.0

    def learn(self, logits: Logits, column: int, w: float = 1.0) -> None:
        """Learn which class was right.

        Args:
            logits: unscaled, of a learner that has not learned the lesson.
            column: where the right class is.
            w: weight of the lesson (inverse propensity), at least 0; cut to `MAX_WEIGHT`.
        """
        w = min(w, MAX_WEIGHT)
        if w <= 0.0 or len(logits) < 2:
            return
        shares = softmax(self.scale * logits)
        ahead = logits - logits[column]
        weighed = shares * ahead
        mean = float(np.add.reduce(weighed))
        spread = float(np.add.reduce(weighed * ahead)) - mean * mean
        self._curvature = (1.0 - w / (MEMORY + w)) * self._curvature + w * spread
        step = w * mean / (self._curvature + _STIFFNESS)
        self.scale = min(max(self.scale - step, _SMALLEST), _LARGEST)

    def content(self) -> list[object]:
        """Return everything that decides the future, for digests."""
        return [self.scale, self._curvature]


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
