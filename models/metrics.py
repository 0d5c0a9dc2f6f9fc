"""How good scores and classes are: plain numpy, the definitions of scikit-learn.

Scores are ranked, never thresholded; equal scores share their rank, so no figure depends on
the order of the examples.
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def average_precision(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Return the area under the precision-recall steps, in [0, 1]; nan without a positive.

    Score *all* negatives, or say so: a sample of them flatters this figure.

    Raises:
        ValueError: when the lengths differ or a score is nan.
    """
    found, ranked = _found_at_each_score(labels, scores)
    if not len(found) or found[-1] == 0:
        return float("nan")
    gained = np.diff(found, prepend=0.0)
    return float(np.sum(gained * (found / ranked)) / found[-1])


def roc_auc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Return the chance that a positive outscores a negative, ties half; nan if one is absent.

    Raises:
        ValueError: when the lengths differ or a score is nan.
    """
    found, ranked = _found_at_each_score(labels, scores)
    if not len(found) or found[-1] in (0, ranked[-1]):
        return float("nan")
    false = ranked - found
    widths = np.diff(false, prepend=0.0)
    heights = found - np.diff(found, prepend=0.0) / 2.0
    return float(np.sum(widths * heights) / (found[-1] * false[-1]))


def card_precision(
    days: npt.ArrayLike,
    cards: npt.ArrayLike,
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    top: int = 100,
    *,
    drop_found: bool = False,
) -> float:
    """Return the mean over days of the share of compromised cards among the ``top`` of a day.

    A card's score on a day is its highest, and it counts as compromised if any of its
    transactions of that day is positive. Of equal scores the smaller card comes first. The
    divisor is ``top`` also on a day with fewer cards. With ``drop_found`` a compromised card that
    was among the ``top`` of a day counts no more on later days: it has been blocked. That is the
    fraud-detection handbook's "card precision top-k", which also drops cards known beforehand.

    Raises:
        ValueError: when the lengths differ or ``top`` is below 1.
    """
    if top < 1:
        raise ValueError(f"top must be at least 1, not {top}")
    day, card = np.asarray(days), np.asarray(cards)
    label, score = _checked(labels, scores)
    if not len(day) == len(card) == len(label):
        raise ValueError("days, cards, labels and scores differ in length")
    shares = []
    left = np.ones(len(day), bool)
    for each in np.unique(day):
        today = left & (day == each)
        names, group = np.unique(card[today], return_inverse=True)
        best = np.full(len(names), -np.inf)
        np.maximum.at(best, group, score[today])
        hit = np.zeros(len(names), bool)
        np.logical_or.at(hit, group, label[today])
        first = np.argsort(-best, kind="stable")[:top]
        shares.append(np.count_nonzero(hit[first]) / top)
        if drop_found:
            left &= ~np.isin(card, names[first][hit[first]])
    return float(np.mean(shares)) if shares else float("nan")


def accuracy(truths: Sequence[Hashable], guesses: Sequence[Hashable]) -> float:
    """Return the share of guesses that are right; nan without any.

    Raises:
        ValueError: when the lengths differ.
    """
    right = [truth == guess for truth, guess in zip(truths, guesses, strict=True)]
    return sum(right) / len(right) if right else float("nan")


def macro_f1(truths: Sequence[Hashable], guesses: Sequence[Hashable]) -> float:
    """Return the mean F1 over all classes that occur in truths or guesses; nan without any.

    Raises:
        ValueError: when the lengths differ.
    """
    if len(truths) != len(guesses):
        raise ValueError(f"{len(truths)} truths, {len(guesses)} guesses")
    columns = {name: at for at, name in enumerate(dict.fromkeys([*truths, *guesses]))}
    if not columns:
        return float("nan")
    true = np.array([columns[name] for name in truths], np.intp)
    guessed = np.array([columns[name] for name in guesses], np.intp)
    hits = np.bincount(true[true == guessed], minlength=len(columns))
    sizes = np.bincount(true, minlength=len(columns)) + np.bincount(guessed, minlength=len(columns))
    return float(np.mean(2.0 * hits / sizes))


def expected_calibration_error(
    labels: npt.ArrayLike, shares: npt.ArrayLike, bin_count: int = 10
) -> float:
    """Return the mean gap between probability and share of positives, over equal-width bins.

    Each of the ``bin_count`` bins of [0, 1] weighs as its examples do. For classes, pass
    whether the guess was right and its confidence. nan without examples.

    Raises:
        ValueError: when the lengths differ or a probability lies outside [0, 1].
    """
    label, share = _checked(labels, shares)
    if not len(share):
        return float("nan")
    if share.min() < 0.0 or share.max() > 1.0:
        raise ValueError("probabilities must lie in [0, 1]")
    bins = np.minimum((share * bin_count).astype(np.intp), bin_count - 1)
    gaps = np.bincount(bins, weights=share - label.astype(np.float64), minlength=bin_count)
    return float(np.sum(np.abs(gaps)) / len(share))


def accuracy_at_coverage(
    rights: npt.ArrayLike, confidences: npt.ArrayLike, coverage: float
) -> float:
    """Return how often the surest ``coverage`` of all guesses are right; nan without any.

    Of guesses that are equally sure each counts with the same part, so that no figure depends
    on their order.

    Raises:
        ValueError: when the lengths differ or ``coverage`` lies outside (0, 1].
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"coverage {coverage} is not in (0, 1]")
    found, ranked = _found_at_each_score(rights, confidences)
    if not len(ranked):
        return float("nan")
    wanted = coverage * ranked[-1]
    return float(np.interp(wanted, np.append(0.0, ranked), np.append(0.0, found)) / wanted)


def alerts_at_budget(
    days: npt.ArrayLike, labels: npt.ArrayLike, scores: npt.ArrayLike, budget: int
) -> tuple[float, float]:
    """Return precision and recall of the ``budget`` highest scores of each day.

    Of equal scores the earlier one comes first; a day with fewer rows alerts on all of them.
    nan where nothing was alerted, or nothing is positive.

    Raises:
        ValueError: when the lengths differ or ``budget`` is below 1.
    """
    if budget < 1:
        raise ValueError(f"budget must be at least 1, not {budget}")
    day = np.asarray(days)
    label, score = _checked(labels, scores)
    if len(day) != len(label):
        raise ValueError("days, labels and scores differ in length")
    alerted = hit = 0
    for each in np.unique(day):
        today = day == each
        first = np.argsort(-score[today], kind="stable")[:budget]
        alerted += len(first)
        hit += int(np.count_nonzero(label[today][first]))
    positives = int(np.count_nonzero(label))
    return (
        hit / alerted if alerted else float("nan"),
        hit / positives if positives else float("nan"),
    )


def _checked(labels: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], Floats]:
    label, score = np.asarray(labels, bool), np.asarray(scores, np.float64)
    if label.shape != score.shape or label.ndim != 1:
        raise ValueError(f"labels {label.shape} and scores {score.shape} must be equally long")
    if np.isnan(score).any():
        raise ValueError("a score is nan")
    return label, score


def _found_at_each_score(labels: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return positives and examples at or above each distinct score, from the highest down."""
    label, score = _checked(labels, scores)
    order = np.argsort(-score, kind="stable")
    ranked_scores = score[order]
    last = np.flatnonzero(np.append(ranked_scores[1:] != ranked_scores[:-1], True)[: len(score)])
    found = np.cumsum(label[order], dtype=np.float64)[last]
    return found, (last + 1).astype(np.float64)
