"""Whether a learner is better than what would decide without it; slow to change its mind.

Both verdicts look at a window of labels that shrinks with what comes, not with time: so many new
labels, and the old ones count half. A learner is distrusted when it is worse by more than the
margin even with two standard errors in its favour, and trusted again when it is within half the
margin and would be within the margin with two standard errors to its disadvantage.
"""

import math

from models.quality.bins import BINS, empty, precision_at

MARGIN = 0.02
ERRORS = 2.0
_HEAVIEST = 1e9


class Paired:
    """Compares by the mean difference of a gain on the same decisions.

    Args:
        half_life: In labels.
        least_count: Labels before which nobody is distrusted.
        margin: By how much it must be worse.
    """

    __slots__ = (
        "count", "growth", "least_count", "margin", "squares", "trusted", "unit", "weight",
        "weight_squares", "weighted",
    )  # fmt: skip

    def __init__(
        self, half_life: float = 200.0, least_count: int = 100, margin: float = MARGIN
    ) -> None:
        self.margin = margin
        self.growth = 2.0 ** (1.0 / half_life)
        self.least_count = least_count
        self.count = 0
        self.unit = 1.0
        self.weight = self.weight_squares = self.weighted = self.squares = 0.0
        self.trusted = True

    def update(self, difference: float, weight: float) -> None:
        """Take in what the learner gained over its baseline on one decision."""
        self.count += 1
        self.unit *= self.growth
        if self.unit > _HEAVIEST:
            self._shrink()
        now = weight * self.unit
        self.weight += now
        self.weight_squares += now * now
        self.weighted += now * difference
        self.squares += now * difference * difference
        if self.count >= self.least_count:
            mean, error = self.estimate()
            self.trusted = judge(self.trusted, mean, error, self.margin)

    def estimate(self) -> tuple[float, float]:
        """Give the mean difference and its standard error."""
        mean = self.weighted / self.weight
        variance = max(self.squares / self.weight - mean * mean, 0.0)
        return mean, math.sqrt(variance * self.weight_squares) / self.weight

    def _shrink(self) -> None:
        factor = 1.0 / self.unit
        self.weight *= factor
        self.weight_squares *= factor * factor
        self.weighted *= factor
        self.squares *= factor
        self.unit = 1.0

    def content(self) -> list[object]:
        """Give everything, in a fixed order."""
        return [getattr(self, name) for name in self.__slots__]


class Ranked:
    """Compares by average precision: the mean, over the frauds, of the precision at their scores.

    Each fraud is ranked among what the window holds when it becomes known, by both scores.

    Args:
        half_life: In frauds.
        least_count: Frauds before which nobody is distrusted.
        margin: By how much it must be worse.
    """

    __slots__ = ("base_negatives", "base_positives", "negatives", "paired", "positives", "unit")

    def __init__(
        self, half_life: float = 100.0, least_count: int = 50, margin: float = MARGIN
    ) -> None:
        self.paired = Paired(half_life, least_count, margin)
        self.unit = 1.0
        self.positives = empty()
        self.negatives = empty()
        self.base_positives = empty()
        self.base_negatives = empty()

    @property
    def trusted(self) -> bool:
        """Whether it does not rank worse than its baseline."""
        return self.paired.trusted

    @property
    def count(self) -> int:
        """Frauds so far."""
        return self.paired.count

    def update(self, is_fraud: bool, at: int, base_at: int, weight: float) -> None:
        """Take in one decision: the bins of the learner's score and of its baseline's.

        A baseline that scores all alike has the share of frauds as precision.
        """
        now = weight * self.unit
        if not is_fraud:
            self.negatives[at] += now
            self.base_negatives[base_at] += now
            return
        self.positives[at] += now
        self.base_positives[base_at] += now
        own = precision_at(self.positives, self.negatives, at)
        base = precision_at(self.base_positives, self.base_negatives, base_at)
        self.paired.update(own - base, weight)
        self.unit *= self.paired.growth
        if self.unit > _HEAVIEST:
            self._shrink()

    def estimate(self) -> tuple[float, float]:
        """Give the learner's lead in average precision and its standard error."""
        return self.paired.estimate()

    def _shrink(self) -> None:
        factor = 1.0 / self.unit
        for name in ("positives", "negatives", "base_positives", "base_negatives"):
            counts = getattr(self, name)
            for at in range(BINS):
                counts[at] *= factor
        self.unit = 1.0

    def content(self) -> list[object]:
        """Give everything, in a fixed order."""
        counts = [self.positives, self.negatives, self.base_positives, self.base_negatives]
        return [self.paired.content(), self.unit, counts]


def judge(trusted: bool, lead: float, error: float, margin: float) -> bool:
    """Give whether a learner is trusted from now on.

    >>> judge(True, -0.05, 0.01, 0.02), judge(False, 0.01, 0.02, 0.02)
    (False, False)
    >>> judge(False, 0.01, 0.01, 0.02)
    True
    """
    if trusted:
        return lead + ERRORS * error >= -margin
    return lead >= -margin / 2.0 and lead - ERRORS * error >= -margin
