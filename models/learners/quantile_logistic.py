"""A yes/no learner on named numbers: logistic regression on one-hot quantile bins."""

import math
from bisect import bisect_right, insort
from collections.abc import Mapping

from models.learners.digest import digest_content
from models.learners.numbers import finite

BIAS = "(bias)"
_TAIL_SHARES = (0.001, 0.003, 0.01, 0.03, 0.97, 0.99, 0.997, 0.999)
_MISSING = 0
_HEAVIEST = 1e6
_FIRST_SQUARE = 0.3
"""What AdaGrad's sums begin with: else the first lesson of a bin moves it by the whole rate."""


class _Binned:
    """One feature: its bins, and a weight and a sum of squared slopes for each.

    Bin 0 is "missing"; bin 1 lies below the first edge, the last at or above the last edge.
    Bins are refitted each time the number of values seen has doubled, until `warm_up_count`; a
    new bin takes over the weight of the old bin its lower edge lay in, and learns at full rate
    again. From then on they are fixed.
    """

    __slots__ = ("edges", "next_fit_count", "seen", "squares", "weights")

    def __init__(self, first_fit_count: int) -> None:
        self.edges: list[float] = []
        self.weights = [0.0, 0.0]
        self.squares = [_FIRST_SQUARE, _FIRST_SQUARE]
        self.seen: list[float] | None = []
        self.next_fit_count = first_fit_count

    def bin(self, value: float | None) -> int:
        # Infinite and nan count as missing (`models.learners.numbers`); no need to cut the huge.
        if value is None or not -math.inf < value < math.inf:
            return _MISSING
        return bisect_right(self.edges, value) + 1

    def observe(self, value: float, bin_count: int, warm_up_count: int) -> None:
        if self.seen is None:
            return
        insort(self.seen, value)
        if len(self.seen) < self.next_fit_count:
            return
        self.fit(bin_count)
        if len(self.seen) >= warm_up_count:
            self.seen = None
        else:
            self.next_fit_count = min(2 * self.next_fit_count, warm_up_count)

    def fit(self, bin_count: int) -> None:
        """Cut what was seen into about ``bin_count`` bins; nothing once bins are fixed."""
        if not self.seen:
            return
        shares = [i / bin_count for i in range(1, bin_count)] + list(_TAIL_SHARES)
        kept = {self.seen[int(share * len(self.seen))] for share in shares}
        # A bin below the smallest value would stay empty.
        edges = sorted(edge for edge in kept if edge > self.seen[0])
        old = [_MISSING, 1, *(bisect_right(self.edges, edge) + 1 for edge in edges)]
        self.weights = [self.weights[i] for i in old]
        # A new bin learns as fast as any new one, wherever it was cut from.
        self.squares = [_FIRST_SQUARE] * len(old)
        self.edges = edges

    def forget(self) -> None:
        """Set all weights back, keep the bins."""
        self.weights = [0.0] * len(self.weights)
        self.squares = [_FIRST_SQUARE] * len(self.squares)


class QuantileBinLogistic:
    """Binary classifier of named numeric features with River's API.

    Every feature is cut into about `bin_count` bins of equal share (finer in the tails); each
    bin, and "missing", has a weight learned by AdaGrad. So any monotone rescaling of a feature
    changes nothing, and a feature may appear or disappear at any time. The first lessons, on
    bins still coarse, are learned afresh each time their number has doubled, until
    `warm_up_count`: the lesson that completes this takes as long as those it repeats. State is
    touched by `learn_one` only and sums run in the order of the names: equal lessons give
    equal bits.

    Args:
        bin_count: bins of equal share per feature, tails not counted.
        learning_rate: AdaGrad's rate.
        first_fit_count: values of a feature before its first bins.
        warm_up_count: values of a feature after which its bins are fixed, and lessons that
            are kept to be learned afresh.
        max_features: features first seen when this many are known are ignored.
    """

    def __init__(
        self,
        *,
        bin_count: int = 16,
        learning_rate: float = 0.3,
        first_fit_count: int = 64,
        warm_up_count: int = 4_096,
        max_features: int = 256,
    ) -> None:
        self.bin_count = bin_count
        self.learning_rate = learning_rate
        self.first_fit_count = first_fit_count
        self.warm_up_count = warm_up_count
        self.max_features = max_features
        self._features: dict[str, _Binned] = {}
        self._ordered: list[tuple[str, _Binned]] = []
        self._bias = 0.0
        self._bias_squares = 0.0
        self._lesson_count = 0
        self._first_lessons: list[tuple[dict[str, float], bool, float]] | None = []

    @property
    def lesson_count(self) -> int:
        """Lessons learned so far, repetitions not counted."""
        return self._lesson_count

    def learn_one(self, x: Mapping[str, float], y: bool, w: float = 1.0) -> None:
        """Learn that ``x`` is ``y``.

        Args:
            x: named numbers.
            y: the label.
            w: weight of the lesson, from 0 to a million.

        Raises:
            ValueError: ``w`` is outside; nothing is learned.
        """
        if not 0.0 <= w <= _HEAVIEST:
            raise ValueError(f"weight {w} is not between 0 and {_HEAVIEST:g}")
        clean = finite(x)
        for name, value in clean.items():
            feature = self._features.get(name) or self._admit(name)
            if feature is not None and feature.seen is not None:
                feature.observe(value, self.bin_count, self.warm_up_count)
        self._lesson_count += 1
        self._step(clean, y, w)
        if self._first_lessons is not None:
            self._first_lessons.append((clean, y, w))
            doublings, rest = divmod(self._lesson_count, self.first_fit_count)
            if rest == 0 and doublings.bit_count() == 1:
                self._learn_afresh(self._first_lessons)
            if self._lesson_count >= self.warm_up_count:
                self._first_lessons = None

    def logit_one(self, x: Mapping[str, float]) -> float:
        """Return the logarithm of the odds that ``x`` is true; 0 before any lesson."""
        logit = self._bias
        get = x.get
        for name, feature in self._ordered:
            logit += feature.weights[feature.bin(get(name))]
        return logit

    def predict_proba_one(self, x: Mapping[str, float]) -> dict[bool, float]:
        """Return the probabilities of True and False."""
        share = sigmoid(self.logit_one(x))
        return {True: share, False: 1.0 - share}

    def predict_one(self, x: Mapping[str, float]) -> bool:
        """Return whether True is more probable than not."""
        return self.logit_one(x) > 0.0

    def explain_one(self, x: Mapping[str, float]) -> dict[str, float]:
        """Return what each known feature (also a missing one) and the bias add to the logit."""
        parts = {BIAS: self._bias}
        get = x.get
        for name, feature in self._ordered:
            value = get(name)
            if value is not None and -math.inf < value < math.inf:  # as in `_Binned.bin`
                parts[name] = feature.weights[bisect_right(feature.edges, value) + 1]
            else:
                parts[name] = feature.weights[_MISSING]
        return parts

    def digest(self) -> str:
        """Return the digest of everything that decides this learner's future."""
        return digest_content(
            "QuantileBinLogistic",
            [self.bin_count, self.learning_rate, self.first_fit_count, self.warm_up_count],
            [self.max_features, self._lesson_count, self._bias, self._bias_squares],
            {
                name: [f.edges, f.weights, f.squares, f.seen, f.next_fit_count]
                for name, f in self._features.items()
            },
            self._first_lessons,
        )

    def _admit(self, name: str) -> _Binned | None:
        if len(self._features) >= self.max_features:
            return None
        feature = self._features[name] = _Binned(self.first_fit_count)
        self._ordered = sorted(self._features.items(), key=lambda item: item[0])
        return feature

    def _step(self, clean: Mapping[str, float], y: bool, w: float) -> None:
        bins: list[tuple[_Binned, int]] = []
        logit = self._bias
        for name, feature in self._ordered:
            value = clean.get(name)
            at = _MISSING if value is None else bisect_right(feature.edges, value) + 1
            bins.append((feature, at))
            logit += feature.weights[at]
        slope = (sigmoid(logit) - (1.0 if y else 0.0)) * w
        square = slope * slope
        if square == 0.0:
            return
        self._bias_squares += square
        self._bias -= self.learning_rate * slope / math.sqrt(self._bias_squares)
        step = self.learning_rate * slope
        for feature, at in bins:
            feature.squares[at] = squares = feature.squares[at] + square
            feature.weights[at] -= step / math.sqrt(squares)

    def _learn_afresh(self, lessons: list[tuple[dict[str, float], bool, float]]) -> None:
        self._bias = self._bias_squares = 0.0
        for feature in self._features.values():
            feature.fit(self.bin_count)
            feature.forget()
        for clean, y, w in lessons:
            self._step(clean, y, w)


def sigmoid(logit: float) -> float:
    """Return ``1 / (1 + exp(-logit))`` without overflow."""
    if logit >= 0.0:
        return 1.0 / (1.0 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1.0 + odds)
