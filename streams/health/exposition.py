"""The door to the Prometheus client: a role's counts as a page that Prometheus reads."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from streams.health.metrics import Metrics

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Exposition(Collector):
    """Renders the counts of one process, and what the process itself uses.

    Args:
        metrics: Read at each page.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._registry = CollectorRegistry()  # not the global one: one process, one registry
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def page(self) -> bytes:
        """Give the page, Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Family]:
        """Give one family for each metric of the role."""
        for metric, histogram in self._metrics.histograms.items():
            family = HistogramMetricFamily(metric.name, metric.meaning)
            family.add_metric([], histogram.cumulated(), histogram.sum)
            yield family
        for metric, series in self._metrics.values.items():
            make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            values = make(metric.name, metric.meaning, labels=metric.labels)
            for labels, value in series.items():
                values.add_metric(labels, value)
            yield values
