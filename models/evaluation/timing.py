"""How long things take, kept in little room: a histogram whose buckets are one per cent wide."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Clock = Callable[[], int]
"""Gives nanoseconds of any monotone clock; the pure core has none of its own."""

_WIDTH = math.log(1.01)


class Timings:
    """Durations, in nanoseconds in, in microseconds out; quantiles are right to one per cent.

    Args:
        clock: What the durations are measured with.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.total_ns = 0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure a block; costs about a microsecond, which is not counted."""
        begin = self._clock()
        yield
        self.add(self._clock() - begin)

    def add(self, took_ns: int) -> None:
        """Add a duration."""
        bucket = int(math.log(took_ns) / _WIDTH) if took_ns > 1 else 0
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.count += 1
        self.total_ns += took_ns

    @property
    def p50_us(self) -> float:
        """The median; nan without any."""
        return self.quantile_us(0.5)

    @property
    def mean_us(self) -> float:
        """The mean; nan without any."""
        return self.total_ns / self.count / 1000.0 if self.count else math.nan

    def quantile_us(self, share: float) -> float:
        """Give the duration that this share of all do not exceed; nan without any."""
        left = share * self.count
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0.0:
                return math.exp((bucket + 0.5) * _WIDTH) / 1000.0
        return math.nan
