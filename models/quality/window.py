"""A window without an edge: what is a half-life older counts half."""

import math

HALF_LIFE_MS = 7 * 86_400_000
"""Half of a figure's weight is of the last 7 days (of `known_at`), a quarter of the 7 before."""

_HALVINGS = 20
_LN_2 = 0.6931471805599453


class Window:
    """Gives weights that grow with time, so that nothing counted has to be touched again.

    Args:
        half_life_ms: In event time.
    """

    __slots__ = ("first_ms", "half_life_ms", "now_ms", "reference_ms")

    def __init__(self, half_life_ms: int = HALF_LIFE_MS) -> None:
        self.half_life_ms = half_life_ms
        self.reference_ms: int | None = None
        self.first_ms: int | None = None
        self.now_ms = 0

    def advance(self, at_ms: int) -> float:
        """Move on to ``at_ms``, never back.

        Returns:
            What everything counted so far has to be multiplied by; nearly always 1.
        """
        if self.reference_ms is None:
            self.reference_ms = self.first_ms = self.now_ms = at_ms
            return 1.0
        self.now_ms = max(self.now_ms, at_ms)
        halvings = (self.now_ms - self.reference_ms) // self.half_life_ms
        if halvings < _HALVINGS:
            return 1.0
        self.reference_ms += halvings * self.half_life_ms
        return math.pow(2.0, -min(halvings, 1_000))

    def weight(self, at_ms: int) -> float:
        """Give the weight of something of that time, which need not be the newest."""
        ahead_ms = min(at_ms, self.now_ms) - (self.reference_ms or 0)
        return math.pow(2.0, max(ahead_ms / self.half_life_ms, -1_000.0))

    def worth(self, counted: float) -> float:
        """Give what was counted in units of now: how many it stands for."""
        return counted / self.weight(self.now_ms)

    def days(self) -> float:
        """Give how many whole days the window is worth by now."""
        if self.first_ms is None:
            return 0.0
        age = (self.now_ms - self.first_ms) / self.half_life_ms
        return self.half_life_ms / 86_400_000 / _LN_2 * (1.0 - math.pow(2.0, -age))

    def content(self) -> list[int | None]:
        """Give what decides its future."""
        return [self.half_life_ms, self.reference_ms, self.first_ms, self.now_ms]
