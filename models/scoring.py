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


def score_transaction(
    features: Mapping[str, float], learners: Learners, blend_lessons: int
) -> Score:
    """Score a transaction on one scale, near a probability, from the first one on.

    The unsupervised rank, shifted to how rare fraud is, speaks alone until the first fraud has
    been learned (kind ``anomaly``). A young risk learner is worse than the rank, so the log-odds of
    both are blended: risk has the weight n / (n + blend_lessons) after n lessons. The reasons add
    up to the score's log-odds.
    """
    risky, ready = learners.risk.ready, learners.anomaly.ready
    anomaly = learners.anomaly.rank_one(_strangeness(features, learners)) if ready else 0.0
    weight = 0.0
    parts: dict[str, float] = {}
    risk = None
    if risky:
        parts = learners.risk.explain_one(features)
        risk = sigmoid(math.fsum(parts.values()))
        lessons = learners.risk.lesson_count
        weight = lessons / (lessons + blend_lessons) if ready else 1.0
        parts = {name: weight * effect for name, effect in parts.items()}
    if weight < 1.0:
        parts[ANOMALY] = (1.0 - weight) * (_log_odds(anomaly) - _RARITY)
    score = sigmoid(math.fsum(parts.values()))
    values = {**features, ANOMALY: anomaly}
    return Score(score, "risk" if risky else "anomaly", risk, anomaly, _reasons(parts, values))


def _strangeness(features: Mapping[str, float], learners: Learners) -> float:
    return learners.anomaly.score_one(unusual_view(features))


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
