"""The score of a transaction, and the reasons that add up to it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from models.features.unusual import unusual_view
from models.learners.quantile_logistic import sigmoid
from models.learning import Learners
from models.policy import AlertRules
from schemas.outputs import Reason

SHOWN = 6
REST = "(rest)"
ANOMALY = "anomaly_rank"
_SMALLEST = 0.01
_SETTLING = 50_000
"""Lessons after which the unsupervised rank counts half of its full weight."""


@dataclass(frozen=True, slots=True)
class Score:
    """What scorecard and learners say about a transaction; see TransactionDecision."""

    score: float
    kind: Literal["risk", "anomaly"]
    risk: float | None
    anomaly: float
    scorecard: float
    blend: float
    reasons: list[Reason]


def score_transaction(
    features: Mapping[str, float], learners: Learners, rules: AlertRules
) -> Score:
    """Score a transaction on one scale, near a probability, from the first one on.

    Until the first fraud has been learned (kind ``anomaly``) the policy's scorecard speaks, and a
    little the rank of the unsupervised learner. A young risk learner is worse than these, so the
    log-odds of both sides are blended: after n frauds risk has the weight n / (n +
    ``blend_frauds``). While the quality board does not trust the risk learner, it is as before the
    first fraud, except that its probability is given beside. The reasons add up to the score's
    log-odds.
    """
    anomaly = _rank(features, learners)
    parts = rules.scorecard.explain_one(features)
    seen = learners.anomaly.lesson_count
    settled = rules.anomaly_weight * seen / (seen + _SETTLING)
    parts[ANOMALY] = settled * _log_odds(anomaly) if learners.quality.trusts("anomaly") else 0.0
    logit = math.fsum(parts.values())
    score = scorecard = blend = sigmoid(logit)
    risk = None
    kind: Literal["risk", "anomaly"] = "anomaly"
    if learners.risk.ready:
        learned = learners.risk.explain_one(features)
        learned_logit = math.fsum(learned.values())
        risk = sigmoid(learned_logit)
        frauds = learners.risk.fraud_count
        weight = frauds / (frauds + rules.blend_frauds)
        blend = sigmoid(weight * learned_logit + (1.0 - weight) * logit)
        if learners.quality.trusts("risk"):
            kind, parts, score = "risk", _blended(learned, parts, weight), blend
    reasons = _reasons(parts, features, anomaly)
    return Score(score, kind, risk, anomaly, scorecard, blend, reasons)


def _blended(
    learned: dict[str, float], parts: Mapping[str, float], weight: float
) -> dict[str, float]:
    """Give what adds to the blend: ``weight`` of what was learned, the rest of the scorecard's.

    It is written over what was learned: half a hundred features, for every transaction.
    """
    for name, effect in learned.items():
        learned[name] = weight * effect
    for name, effect in parts.items():
        learned[name] = learned.get(name, 0.0) + (1.0 - weight) * effect
    return learned


def _rank(features: Mapping[str, float], learners: Learners) -> float:
    """Give the share of transactions that are less unusual; a half until that is known."""
    if not learners.anomaly.ready:
        return 0.5
    return learners.anomaly.rank_one(learners.anomaly.score_one(unusual_view(features)))


def _log_odds(rank: float) -> float:
    share = min(max(rank, _SMALLEST), 1.0 - _SMALLEST)
    return math.log(share / (1.0 - share))


def _reasons(
    parts: Mapping[str, float], features: Mapping[str, float], anomaly: float
) -> list[Reason]:
    """Give the largest contributions and what the others add together."""
    least = _least_shown(parts.values())
    ranked = sorted(
        [(-abs(part), name, part) for name, part in parts.items() if not -least < part < least]
    )
    reasons: list[Reason] = [
        {
            "name": name,
            "contribution": effect,
            "value": anomaly if name == ANOMALY else features.get(name),
        }
        for _, name, effect in ranked[:SHOWN]
    ]
    if len(parts) > SHOWN:
        shown = math.fsum([effect for _, _, effect in ranked[:SHOWN]])
        reasons.append({"name": REST, "contribution": math.fsum(parts.values()) - shown})
    return reasons


def _least_shown(parts: Iterable[float]) -> float:
    """Give the size of the smallest part shown; the largest ones are at both ends of an order."""
    ordered = sorted(parts)
    low, high, size = 0, len(ordered) - 1, 0.0
    for _ in range(min(SHOWN, len(ordered))):
        if -ordered[low] > ordered[high]:
            size = -ordered[low]
            low += 1
        else:
            size = ordered[high]
            high -= 1
    return size
