"""The score of a transaction, and the reasons that add up to it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from models.features.unusual import unusual_view
from models.learners.quantile_logistic import sigmoid
from models.learning import Learners
from schemas.outputs import Reason

SHOWN = 6
REST = "(rest)"


@dataclass(frozen=True, slots=True)
class Score:
    """What the learners say about a transaction; see TransactionDecision."""

    score: float
    kind: Literal["risk", "anomaly"]
    risk: float | None
    anomaly: float
    reasons: list[Reason]
    space: Literal["log_odds", "score"]


def score_transaction(features: Mapping[str, float], learners: Learners) -> Score:
    """Score by risk, or by the unsupervised rank until the first fraud has been learned.

    In the space ``log_odds`` the reasons add up to the score's log-odds; in ``score`` to itself.
    """
    anomaly = 0.0
    if learners.anomaly.ready:
        anomaly = learners.anomaly.rank_one(learners.anomaly.score_one(unusual_view(features)))
    if not learners.risk.ready:
        reasons: list[Reason] = [{"name": "anomaly_rank", "contribution": anomaly}]
        return Score(anomaly, "anomaly", None, anomaly, reasons, "score")
    parts = learners.risk.explain_one(features)
    risk = sigmoid(math.fsum(parts.values()))
    return Score(risk, "risk", risk, anomaly, _reasons(parts, features), "log_odds")


def _reasons(parts: Mapping[str, float], features: Mapping[str, float]) -> list[Reason]:
    """Give the largest contributions and what the others add together."""
    ranked = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    reasons: list[Reason] = [
        {"name": name, "contribution": effect, "value": features.get(name)}
        for name, effect in ranked[:SHOWN]
    ]
    if len(ranked) > SHOWN:
        rest = math.fsum(effect for _, effect in ranked[SHOWN:])
        reasons.append({"name": REST, "contribution": rest})
    return reasons
