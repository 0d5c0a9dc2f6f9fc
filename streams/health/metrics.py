"""The counts of one process: plain numbers that roles change once a batch."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from streams.health.catalogue import OWN, Metric

Labels = tuple[str, ...]

FEW = 16
"""Values that are counted one by one in less time than numpy needs to begin."""


class Histogram:
    """Counts values by bucket; many at once cost hardly more than one.

    Args:
        bounds: Upper bounds of the buckets, rising; the last bucket is open.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Count values; one that equals a bound belongs below it."""
        if len(values) < FEW:
            for value in values:
                self.counts[bisect_left(self.bounds, value)] += 1
                self.sum += value
            return
        found = np.searchsorted(self.bounds, values, side="left")
        more = np.bincount(found, minlength=len(self.counts)).tolist()
        self.counts = [before + new for before, new in zip(self.counts, more, strict=True)]
        self.sum += float(np.sum(values))

    def cumulated(self) -> list[tuple[str, float]]:
        """Give for each bound how many values do not exceed it, as Prometheus wants it."""
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        return list(zip(names, np.cumsum(self.counts).tolist(), strict=True))


class Metrics:
    """What one role counts and shows; changed in the event loop only, once a batch.

    Args:
        role: Its metrics without labels are there from the start, at 0.
    """

    def __init__(self, role: str) -> None:
        self.role = role
        self.values: dict[Metric, dict[Labels, float]] = {}
        self.histograms: dict[Metric, Histogram] = {}
        for metric in OWN:
            if role not in metric.roles:
                continue
            if metric.kind == "histogram":
                self.histograms[metric] = Histogram(metric.bounds)
            else:
                self.values[metric] = {} if metric.labels else {(): 0.0}

    def count(self, metric: Metric, by: float = 1, *labels: str) -> None:
        """Add to a counter."""
        series = self.values[metric]
        series[labels] = series.get(labels, 0.0) + by

    def count_each(self, metric: Metric, counts: Mapping[str, float]) -> None:
        """Add to the counters of a metric with one label."""
        for label, by in counts.items():
            self.count(metric, by, label)

    def show(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        self.values[metric][labels] = float(value)

    def show_each(self, metric: Metric, values: Iterable[tuple[Labels, float]]) -> None:
        """Set all series of a gauge; those that are not named are gone."""
        self.values[metric] = {labels: float(value) for labels, value in values}

    def observe(self, metric: Metric, values: Sequence[float]) -> None:
        """Add values to a histogram."""
        if values:
            self.histograms[metric].add(values)
