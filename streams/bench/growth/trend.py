"""Whether something grows with time: Theil and Sen's slope and its interval.

The slope is the median of the slopes between all pairs of points, so that single outliers (a
checkpoint, a busy machine) do not make a trend; the interval is Kendall's (Sen 1968).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Z_95 = 1.96

Verdict = Literal["flat", "grows", "no growth shown"]


@dataclass(frozen=True, slots=True)
class Trend:
    """How a figure changes with time.

    Args:
        level: The median of the figure.
        slope: Change for each unit of time.
        low: The lower end of the slope's 95 % interval.
        high: The upper end.
    """

    level: float
    slope: float
    low: float
    high: float

    def verdict(self, tolerated: float) -> Verdict:
        """Tell whether it grows by more than a share of the level for each unit of time.

        ``flat`` and ``grows`` are said only where the whole interval says so.
        """
        bound = tolerated * self.level
        if self.high <= bound:
            return "flat"
        return "grows" if self.low > bound else "no growth shown"

    def as_json(self, digits: int = 2) -> dict[str, Any]:
        """Give the slope and its interval, also in percent of the level."""
        percent = 100.0 / self.level if self.level else 0.0
        return {
            "level": round(self.level, digits),
            "per_h": round(self.slope, digits),
            "per_h_low": round(self.low, digits),
            "per_h_high": round(self.high, digits),
            "percent_per_h": round(self.slope * percent, 2),
            "percent_per_h_low": round(self.low * percent, 2),
            "percent_per_h_high": round(self.high * percent, 2),
        }


def trend(at: Sequence[float], figures: Sequence[float]) -> Trend:
    """Give the trend of figures over time; at least three, at different times.

    >>> trend([0.0, 1.0, 2.0, 3.0], [5.0, 7.0, 9.0, 11.0]).slope
    2.0
    """
    count = len(at)
    if count < 3:
        raise ValueError(f"{count} figures show no trend; at least 3 do")
    slopes = sorted(
        (figures[later] - figures[first]) / (at[later] - at[first])
        for first in range(count)
        for later in range(first + 1, count)
    )
    spread = Z_95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + spread) / 2))
    return Trend(median(figures), median(slopes), slopes[low], slopes[high])
