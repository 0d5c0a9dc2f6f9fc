"""What counts as a number: the one rule by which learners read features."""

import math
from collections.abc import Mapping

LIMIT = 1e12
"""Larger magnitudes are read as this: squares of features must stay finite."""


def finite(x: Mapping[str, float | None]) -> dict[str, float]:
    """Return the features in the order of their names, without those that are missing.

    A feature is missing when it is absent, None, NaN or infinite; magnitudes beyond `LIMIT`
    (also integers too large for a float) are cut to it.

    >>> finite({"b": 2, "a": float("nan"), "c": -1e300})
    {'b': 2.0, 'c': -1000000000000.0}
    """
    found: dict[str, float] = {}
    for name in sorted(x):
        value = x[name]
        if value is not None and -LIMIT <= value <= LIMIT:
            found[name] = float(value)
        elif (cut := finite_one(value)) is not None:
            found[name] = cut
    return found


def finite_one(value: float | None) -> float | None:
    """Return a feature as a number, or None where it counts as missing; see `finite`."""
    if value is None:
        return None
    if -LIMIT <= value <= LIMIT:
        return float(value)
    if value == value and abs(value) != math.inf:
        return LIMIT if value > 0 else -LIMIT
    return None
