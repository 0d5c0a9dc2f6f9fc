"""River's own checks of estimators, on the learners that have its verbs.

River's checks ask for its base classes and its parameters: each learner is dressed as an estimator
without parameters. Its text datasets have to be downloaded, as has that for anomalies: the text
learner reads River's features as words, the anomaly learner gets payments.
"""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from learner_cases import CASES
from learner_streams import payment
from river import base, checks

from models.learners.anomaly import AnomalyLearner
from models.learners.forest import FraudForest
from models.learners.quantile_logistic import QuantileBinLogistic
from models.learners.risk import RiskLearner

Label = Any


class RiverBins(QuantileBinLogistic, base.Classifier):
    """The quantile bins with their own defaults."""

    def __init__(self) -> None:
        super().__init__()


class RiverForest(FraudForest, base.Classifier):
    """The forest with its own defaults."""

    def __init__(self) -> None:
        super().__init__()


class RiverRisk(RiskLearner, base.Classifier):
    """Both."""

    def __init__(self) -> None:
        super().__init__()


class RiverAnomaly(AnomalyLearner, base.AnomalyDetector):
    """The unsupervised learner; its window is shorter than the data."""

    def __init__(self) -> None:
        super().__init__(window_size=50)


class RiverTexts(base.Classifier):
    """The text learner: names and values are its words, labels are written as text."""

    def __init__(self) -> None:
        self._learner = CASES["softmax"].make()
        self._labels: dict[str, Label] = {}

    @property
    def _multiclass(self) -> bool:
        return True

    def learn_one(self, x: Mapping[str, Any], y: Label) -> None:
        self._labels.setdefault(repr(y), y)
        self._learner.learn_one(_words(x), repr(y))

    def predict_proba_one(self, x: Mapping[str, Any]) -> dict[Label, float]:
        shares = self._learner.predict_proba_one(_words(x))
        return {self._labels[label]: share for label, share in shares.items()}


def _words(x: Mapping[str, Any]) -> str:
    return " ".join(f"{name}{x[name]:.0f}" for name in sorted(x))


class Payments:
    """A dataset as River has them: seeded, and the same each time it is walked."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[tuple[dict[str, float], bool]]:
        rng = random.Random(7)
        for _ in range(self.count):
            x, fraud = payment(rng)
            yield {f"f{i}": x.get(f"f{i}", 0.0) for i in range(9)}, fraud


@pytest.mark.parametrize("kind", [RiverBins, RiverForest])
def test_classifier_passes_the_checks_of_river(kind: type[base.Classifier]) -> None:
    checks.check_estimator(kind())


@pytest.mark.parametrize("kind", [RiverTexts, RiverAnomaly, RiverRisk])
def test_learner_passes_the_checks_of_river_on_payments(
    kind: type[base.Estimator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        checks, "_yield_datasets", lambda model, scale=1: iter([Payments(120 * scale)])
    )
    checks.check_estimator(kind())


def test_checks_of_river_notice_a_learner_that_learns_while_it_answers() -> None:
    class Curious(RiverBins):
        def predict_proba_one(self, x: dict[str, float]) -> dict[bool, float]:
            x["seen"] = 1.0
            return super().predict_proba_one(x)

    with pytest.raises(AssertionError):
        checks.check_estimator(Curious())
