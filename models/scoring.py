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
ANOMALY = "anomaly_rank"
_SMALLEST = 1e-4
_RARITY = 4.5
"""Log-odds against fraud: a rank of 0.99 then means even odds, a middling one hardly any."""


@dataclass(frozen=True, slots=True)
class Score:
    """What the learners say about a transaction; see TransactionDecision."""

    score: float
    kind: Literal["risk", "anomaly"]
    risk: float | None
    anomaly: float
    reasons: list[Reason]
    space: Literal["log_odds", "score"]


def score_transaction(
    features: Mapping[str, float], learners: Learners, blend_lessons: int
) -> Score:
    """Score by risk, or by the unsupervised rank until the first fraud has been learned.

    A young risk learner is worse than the rank, so the log-odds of both are blended: risk has the
    weight n / (n + blend_lessons) after n lessons.

    In the space ``log_odds`` the reasons add up to the score's log-odds; in ``score`` to itself.
    """
    anomaly = 0.0
    if learners.anomaly.ready:
        anomaly = learners.anomaly.rank_one(learners.anomaly.score_one(unusual_view(features)))
    if not learners.risk.ready:
        reasons: list[Reason] = [{"name": ANOMALY, "contribution": anomaly}]
        return Score(anomaly, "anomaly", None, anomaly, reasons, "score")
    parts = learners.risk.explain_one(features)
    risk = sigmoid(math.fsum(parts.values()))
    score = risk
    if learners.anomaly.ready:
        weight = learners.risk.lesson_count / (learners.risk.lesson_count + blend_lessons)
        parts = {name: weight * effect for name, effect in parts.items()}
        parts[ANOMALY] = (1.0 - weight) * (_log_odds(anomaly) - _RARITY)
        score = sigmoid(math.fsum(parts.values()))
    return Score(score, "risk", risk, anomaly, _reasons(parts, features), "log_odds")


def _log_odds(rank: float) -> float:
    share = min(max(rank, _SMALLEST), 1.0 - _SMALLEST)
    return math.log(share / (1.0 - share))


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
