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
        if value is None:
            continue
        if -LIMIT <= value <= LIMIT:
            found[name] = float(value)
        elif value == value and abs(value) != math.inf:
            found[name] = LIMIT if value > 0 else -LIMIT
    return found
