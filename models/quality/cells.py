"""Decayed sums about decisions whose label is known: what figures are computed from.

Everything is linear in its weight, so that what was counted can be taken back with the same call
and the weights' signs turned.
"""

from models.quality.bins import empty

CALIBRATION_BINS = 10


class ClassCell:
    """Sums about a learner of classes, over the decisions in which it said one."""

    __slots__ = (
        "answered", "base_loss", "base_right", "count", "gaps", "loss", "right", "right_answered",
        "weight",
    )  # fmt: skip

    def __init__(self) -> None:
        self.count = 0.0
        """Labelled decisions, one each."""
        self.weight = 0.0
        """What these stand for: one over their propensity each."""
        self.right = 0.0
        self.loss = 0.0
        self.answered = 0.0
        """Of the weight, where the decision went along with the learner."""
        self.right_answered = 0.0
        self.base_right = 0.0
        self.base_loss = 0.0
        self.gaps = [0.0] * CALIBRATION_BINS
        """Confidence minus hits, by confidence."""

    def add(
        self,
        unit: float,
        weight: float,
        is_right: bool,
        is_answered: bool,
        confidence: float,
        loss: float,
        base_is_right: bool,
        base_loss: float,
    ) -> None:
        """Count a decision; ``unit`` is what one counts at its time."""
        self.count += unit
        self.weight += weight
        self.loss += weight * loss
        self.base_loss += weight * base_loss
        if is_right:
            self.right += weight
        if base_is_right:
            self.base_right += weight
        if is_answered:
            self.answered += weight
            if is_right:
                self.right_answered += weight
        add_gap(self.gaps, confidence, is_right, weight)

    def scale(self, factor: float) -> None:
        """Let everything count less."""
        for name in self.__slots__:
            if name != "gaps":
                setattr(self, name, getattr(self, name) * factor)
        self.gaps = [gap * factor for gap in self.gaps]

    def content(self) -> list[object]:
        """Give everything, in a fixed order."""
        return [getattr(self, name) for name in self.__slots__]


class DetectionCell:
    """Sums about a detector of frauds and what it is compared with."""

    __slots__ = (
        "base_loss", "base_negatives", "base_positives", "count", "expected", "frauds", "gaps",
        "loss", "negatives", "positive_weight", "positives", "weight",
    )  # fmt: skip

    _LISTS = ("positives", "negatives", "base_positives", "base_negatives", "gaps")

    def __init__(self) -> None:
        self.count = 0.0
        """Labelled decisions, one each."""
        self.frauds = 0.0
        """Of the count."""
        self.weight = 0.0
        """What the labelled ones stand for: one over their propensity each."""
        self.positive_weight = 0.0
        self.expected = 0.0
        """Frauds that the scores announced."""
        self.loss = 0.0
        self.base_loss = 0.0
        self.positives = empty()
        self.negatives = empty()
        self.base_positives = empty()
        self.base_negatives = empty()
        self.gaps = [0.0] * CALIBRATION_BINS

    def add(
        self,
        unit: float,
        weight: float,
        is_fraud: bool,
        score: float,
        at: int,
        base_at: int,
        loss: float,
        base_loss: float,
    ) -> None:
        """Count a decision with the bins of its score and of the baseline's.

        ``unit`` is what one counts at its time.
        """
        self.count += unit
        self.weight += weight
        self.expected += weight * score
        self.loss += weight * loss
        self.base_loss += weight * base_loss
        if is_fraud:
            self.frauds += unit
            self.positive_weight += weight
            self.positives[at] += weight
            self.base_positives[base_at] += weight
        else:
            self.negatives[at] += weight
            self.base_negatives[base_at] += weight
        add_gap(self.gaps, score, is_fraud, weight)

    def scale(self, factor: float) -> None:
        """Let everything count less."""
        for name in self.__slots__:
            value = getattr(self, name)
            if name in self._LISTS:
                setattr(self, name, [each * factor for each in value])
            else:
                setattr(self, name, value * factor)

    def content(self) -> list[object]:
        """Give everything, in a fixed order."""
        return [getattr(self, name) for name in self.__slots__]


def add_gap(gaps: list[float], share: float, is_true: bool, weight: float) -> None:
    """Count how far a probability lay above what happened."""
    at = min(int(share * CALIBRATION_BINS), CALIBRATION_BINS - 1)
    gaps[at] += weight * (share - 1.0) if is_true else weight * share
