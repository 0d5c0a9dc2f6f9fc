"""What pictures are drawn from: curves and tables of scores, small enough for a report."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from models.metrics import Floats, accuracy_at_coverage

BINS = 15


def reliability(labels: npt.ArrayLike, shares: npt.ArrayLike, bins: int = BINS) -> list[Any]:
    """Give, for each equal-width bin that is not empty, how often it was right and how sure.

    Returns:
        ``{"from", "until", "count", "confidence", "share"}`` in order.
    """
    label, share = np.asarray(labels, np.float64), np.asarray(shares, np.float64)
    at = np.minimum((share * bins).astype(np.intp), bins - 1)
    counts = np.bincount(at, minlength=bins)
    sure = np.bincount(at, weights=share, minlength=bins)
    right = np.bincount(at, weights=label, minlength=bins)
    return [
        {
            "from": round(i / bins, 4),
            "until": round((i + 1) / bins, 4),
            "count": int(counts[i]),
            "confidence": float(sure[i] / counts[i]),
            "share": float(right[i] / counts[i]),
        }
        for i in range(bins)
        if counts[i]
    ]


def coverage_curve(
    rights: npt.ArrayLike, confidences: npt.ArrayLike, points: int = 20
) -> list[Any]:
    """Give ``[coverage, accuracy]`` of the surest share of all, for shares up to 1."""
    return [
        [i / points, accuracy_at_coverage(rights, confidences, i / points)]
        for i in range(1, points + 1)
    ]


def running_accuracy(rights: Sequence[bool], points: int = 50) -> list[list[float]]:
    """Give ``[examples so far, accuracy]`` for each of about ``points`` equal parts."""
    if not rights:
        return []
    edges = np.unique(np.linspace(0, len(rights), min(points, len(rights)) + 1).astype(int))
    right: Floats = np.asarray(rights, np.float64)
    return [[end, float(np.mean(right[begin:end]))] for begin, end in pairwise(edges.tolist())]


def precision_recall(
    labels: npt.ArrayLike, scores: npt.ArrayLike, points: int = 200
) -> list[list[float]]:
    """Give ``[recall, precision]`` from the highest score down, at about ``points`` recalls."""
    label, score = np.asarray(labels, bool), np.asarray(scores, np.float64)
    if not label.any():
        return []
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(score[order][1:] != score[order][:-1], True))
    found = np.cumsum(label[order])[last]
    recall, precision = found / found[-1], found / (last + 1.0)
    kept = np.unique(np.searchsorted(recall, np.linspace(0.0, 1.0, points + 1)[1:]))
    return [[round(float(recall[i]), 5), round(float(precision[i]), 5)] for i in kept]
