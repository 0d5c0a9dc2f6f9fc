"""What a transaction's features say before anything has been learned: the policy's scorecard."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

BASE = "(prior)"
_STEEPNESS = 1.7
"""Makes the logistic distribution's tail that of a normal one of the same spread."""
_HABIT_COUNT = 10.0
"""Transactions after which half of an unusual ratio counts: a mean of two is no habit."""
_SMALLEST = 0.01


class Signal(NamedTuple):
    """Log-odds for what a feature exceeds ``beyond`` by, counted up to ``at_most``."""

    weight: float
    beyond: float
    at_most: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Judges transactions by weights that people chose; needs no lesson.

    Args:
        base: Log-odds of fraud of a payment without any sign of it.
        typical_amount: In the reference currency, > 0.
        amount: Log-odds per logarithm of an amount far above the typical one; the smaller
            the amount the less it says, but of two otherwise alike the larger always
            counts more.
        ratio: Log-odds per logarithm of an amount beyond twice the customer's mean, less
            as long as few transactions are known.
        signals: By feature.
    """

    base: float
    typical_amount: float
    amount: float
    ratio: float
    signals: Mapping[str, Signal]

    def explain_one(self, x: Mapping[str, float]) -> dict[str, float]:
        """Return what adds to the log-odds of fraud, by feature; `BASE` comes first."""
        amount = max(x["amount"], _SMALLEST)
        far = _STEEPNESS * math.log(amount / self.typical_amount)
        tail = far if far > 30.0 else math.log1p(math.exp(far))
        parts = {BASE: self.base, "amount": self.amount * tail}
        ratio = x.get("amount_ratio")
        if ratio is not None and ratio > 2.0:
            count = x["count_30d"]
            habit = math.log(ratio) * count / (count + _HABIT_COUNT) - math.log(2.0)
            if habit > 0.0:
                parts["amount_ratio"] = self.ratio * habit
        for name, (weight, beyond, at_most) in self.signals.items():
            excess = x.get(name, 0.0) - beyond
            if excess > 0.0:
                parts[name] = weight * min(excess, at_most)
        return parts
