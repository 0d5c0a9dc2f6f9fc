"""Scores counted in bins of equal width in log-odds, and what follows from such counts.

What is in one bin counts as evenly mixed.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BINS = 256
_PER_LOG_ODD = 10.0
_SMALLEST = 3e-6

Counts = npt.NDArray[np.float64]


def bin_of(score: float) -> int:
    """Give the bin of a score in [0, 1]: from -12.8 to 12.8 in log-odds, a tenth each.

    >>> bin_of(0.0), bin_of(0.5), bin_of(1.0)
    (0, 128, 255)
    """
    if score <= _SMALLEST:
        return 0
    if score >= 1.0 - _SMALLEST:
        return BINS - 1
    return int(math.log(score / (1.0 - score)) * _PER_LOG_ODD + BINS / 2)


def empty() -> list[float]:
    """Give counts of nothing."""
    return [0.0] * BINS


def average_precision(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Give the average precision of counted scores, in [0, 1]; nan without a positive."""
    found, ranked = _from_the_top(positives, negatives)
    if found[-1] <= 0.0:
        return float("nan")
    gained, width = np.diff(found, prepend=0.0), np.diff(ranked, prepend=0.0)
    middle = ranked - width / 2.0
    precision = np.divide(found - gained / 2.0, middle, out=np.zeros(BINS), where=middle > 0.0)
    return min(float(np.sum(gained * precision) / found[-1]), 1.0)


def precision_at(positives: Sequence[float], negatives: Sequence[float], at: int) -> float:
    """Give the share of positives in the bins above one and in half of that."""
    found = math.fsum(positives[at + 1 :]) + positives[at] / 2.0
    other = math.fsum(negatives[at + 1 :]) + negatives[at] / 2.0
    return found / (found + other) if found > 0.0 else 0.0


def at_share(
    positives: Sequence[float], negatives: Sequence[float], share: float
) -> tuple[float, float]:
    """Give precision and recall among the highest share of all scores; nan without a positive.

    Of the bin that the share ends in, as much counts as is missing.

    Args:
        positives: Counts by bin.
        negatives: Counts by bin.
        share: Of all that was counted, above 0; more than 1 is all of it.
    """
    found, ranked = _from_the_top(positives, negatives)
    if found[-1] <= 0.0:
        return float("nan"), float("nan")
    taken = min(share, 1.0) * ranked[-1]
    hit = float(np.interp(taken, np.append(0.0, ranked), np.append(0.0, found)))
    return hit / float(taken), hit / float(found[-1])


def _from_the_top(positives: Sequence[float], negatives: Sequence[float]) -> tuple[Counts, Counts]:
    """Give positives and all in this bin or a higher one, from the highest bin down."""
    positive = np.maximum(np.array(positives[::-1], np.float64), 0.0)
    negative = np.maximum(np.array(negatives[::-1], np.float64), 0.0)
    return np.cumsum(positive), np.cumsum(positive + negative)
