"""The few features by which the unsupervised learner judges a transaction.

Half-space trees cut features blindly: each one that says nothing wastes cuts.
"""

from collections.abc import Mapping

UNUSUAL = ("amount", "amount_ratio", "amount_z", "count_1h", "declined_1h")


def unusual_view(features: Mapping[str, float]) -> dict[str, float]:
    """Give the features that the unsupervised learner sees.

    >>> unusual_view({"amount": 5.0, "hour": 3.0})
    {'amount': 5.0}
    """
    return {name: features[name] for name in UNUSUAL if name in features}
