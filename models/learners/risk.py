"""The risk of a transaction: two unlike learners, one score on the scale of real shares."""

import math
from collections.abc import Mapping

from models.features.telling import TELLING
from models.learners.digest import digest_content
from models.learners.forest import FraudForest
from models.learners.quantile_logistic import QuantileBinLogistic, sigmoid

KEPT_SHARE = "(kept share)"
_SHARE_MEMORY = 2_000
_SMALLEST_SHARE = 1e-6
FOREST_TENTHS = 3
"""The forest learns so many of ten negatives taught: it likes them scarce, and learns dearly."""


class RiskLearner:
    """Probability that a transaction is fraud: the mean logit of bins and forest.

    Frauds are rare, so callers teach all of them and a sample of the rest, and say with each
    lesson which share of the negatives they keep; the odds learned are then too high by one
    over that share and are multiplied by it (mean of the latest 2,000 negatives, as the sample
    represents them: harmonic).

    Args:
        bins: the quantile-bin half; made with its defaults if none is given.
        forest: the forest half; if none is given, made with its defaults for `TELLING`.
        seed: of the default forest.
    """

    def __init__(
        self,
        *,
        bins: QuantileBinLogistic | None = None,
        forest: FraudForest | None = None,
        seed: int = 0,
    ) -> None:
        self._bins = bins or QuantileBinLogistic()
        self._forest = forest or FraudForest(features=TELLING, seed=seed)
        self._positive_count = 0
        self._negative_count = 0
        self._represented = 1.0
        self._tenths = 0

    @property
    def ready(self) -> bool:
        """Whether a positive has been learned; until then every score is 0."""
        return self._positive_count > 0

    @property
    def lesson_count(self) -> int:
        """Lessons learned so far."""
        return self._positive_count + self._negative_count

    @property
    def fraud_count(self) -> int:
        """Positives learned so far."""
        return self._positive_count

    @property
    def kept_share(self) -> float:
        """Share of all negatives that the lessons of late represent, in (0, 1]."""
        return 1.0 / self._represented

    def learn_one(self, x: Mapping[str, float], y: bool, kept_share: float = 1.0) -> None:
        """Learn a lesson; ``kept_share`` is the share of negatives taught, in (0, 1].

        Shares below a millionth count as that.

        Raises:
            ValueError: when ``kept_share`` lies outside (0, 1].
        """
        if not 0.0 < kept_share <= 1.0:
            raise ValueError(f"kept_share {kept_share} is not in (0, 1]")
        kept_share = max(kept_share, _SMALLEST_SHARE)
        self._bins.learn_one(x, y)
        if y:
            self._positive_count += 1
        else:
            self._negative_count += 1
            pace = 1.0 / min(self._negative_count, _SHARE_MEMORY)
            self._represented += pace * (1.0 / kept_share - self._represented)
        if self._is_for_forest(y):
            self._forest.learn_one(x, y)

    def logit_one(self, x: Mapping[str, float]) -> float:
        """Return the logarithm of the corrected odds; -inf before any positive."""
        if not self.ready:
            return -math.inf
        mean = (self._bins.logit_one(x) + self._forest.logit_one(x)) / 2.0
        return mean + self._correction()

    def score_one(self, x: Mapping[str, float]) -> float:
        """Return the probability of fraud, in [0, 1]; 0 before any positive."""
        return sigmoid(self.logit_one(x)) if self.ready else 0.0

    def predict_proba_one(self, x: Mapping[str, float]) -> dict[bool, float]:
        """Return the probabilities of fraud (True) and not."""
        score = self.score_one(x)
        return {True: score, False: 1.0 - score}

    def predict_one(self, x: Mapping[str, float]) -> bool:
        """Return whether fraud is more probable than not."""
        return self.score_one(x) > 0.5

    def explain_one(self, x: Mapping[str, float]) -> dict[str, float]:
        """Return what adds to the logit, by feature; entries in brackets are the base.

        The entries sum to `logit_one` (up to rounding); ``{}`` before any positive. A feature's
        entry is half of what it adds in the bins plus half of what it adds along the paths of
        the trees (see `FraudForest.explain_one`).
        """
        if not self.ready:
            return {}
        parts = self._bins.explain_one(x)
        for name, effect in parts.items():
            parts[name] = effect / 2.0
        parts[KEPT_SHARE] = self._correction()
        for name, effect in self._forest.explain_one(x).items():
            parts[name] = parts.get(name, 0.0) + effect / 2.0
        return parts

    def digest(self) -> str:
        """Return the digest of everything that decides this learner's future."""
        return digest_content(
            "RiskLearner",
            [self._bins.digest(), self._forest.digest()],
            [self._positive_count, self._negative_count, self._represented],
            self._tenths,
        )

    def _is_for_forest(self, y: bool) -> bool:
        if y:
            return True
        self._tenths += FOREST_TENTHS
        if self._tenths < 10:
            return False
        self._tenths -= 10
        return True

    def _correction(self) -> float:
        """Return what makes the mean logit, too high by what was left out, that of real odds."""
        return math.log(FOREST_TENTHS / 10.0) / 2.0 - math.log(self._represented)
