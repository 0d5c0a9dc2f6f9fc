"""River's half-space trees as what they say between two windows: thresholds and sums of masses.

The masses by which a tree judges change at the end of a window only, a walk ends where few
examples were, and what it adds up on its way depends on the way alone. So between two windows a
tree is a small one whose leaves hold the sums, whole numbers that a float holds exactly: the
score has the bits of River's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Place = tuple[str, float, "Place", "Place"] | float
"""Feature, threshold, what lies below it, what does not; or the sum of masses of a leaf."""


def shorten(trees: Any) -> list[Place]:
    """Return what River's `HalfSpaceTrees` look at until their window is full; [] in the first."""
    if trees._first_window:
        return []
    return [_shorten(root, 0, 0.0, trees) for root in trees.trees]


def add_masses(places: Sequence[Place], unit: Mapping[str, float]) -> float:
    """Return the sum of masses on the ways of an example that has all features.

    Raises:
        KeyError: it lacks one that is asked for; River knows where the crowd went.
    """
    total = 0.0
    for place in places:
        while isinstance(place, tuple):
            name, threshold, low, high = place
            place = low if unit[name] < threshold else high
        total += place
    return total


def _shorten(node: Any, depth: int, added: float, trees: Any) -> Place:
    added += node.r_mass * 2**depth
    if depth == trees.height or node.r_mass < trees.size_limit:
        return added
    low, high = (_shorten(child, depth + 1, added, trees) for child in node.children)
    return node.feature, node.threshold, low, high
