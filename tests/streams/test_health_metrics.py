"""What is counted is what is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from streams.health import catalogue
from streams.health.catalogue import ALL, OWN
from streams.health.exposition import Exposition
from streams.health.metrics import Histogram, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    page = Exposition(metrics).page().decode()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


@given(st.lists(st.one_of(st.floats(0, 20), st.sampled_from([0.5, 1.0, 5.0])), min_size=1))
def test_histogram_counts_a_value_in_every_bucket_that_holds_it(values: list[float]) -> None:
    bounds = (0.5, 1.0, 5.0)
    histogram = Histogram(bounds)
    for half in (values[::2], values[1::2]):
        if half:
            histogram.add(half)
    ordered = sorted(values)
    expected = [sum(value <= bound for value in ordered) for bound in bounds]
    assert [count for _, count in histogram.cumulated()] == [*expected, len(values)]
    assert histogram.sum == pytest.approx(sum(values))


@pytest.mark.parametrize("role", ALL)
def test_page_has_the_metrics_of_the_role_and_nothing_global(role: str) -> None:
    page = Exposition(Metrics(role)).page().decode()
    shown = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE riverdesk")}
    assert shown == {metric.name for metric in OWN if role in metric.roles}
    assert "python_info" not in page


def test_page_shows_what_was_counted() -> None:
    metrics = Metrics("desk")
    metrics.count(catalogue.BATCHES)
    metrics.count_each(catalogue.ENTRIES, {"ticket": 2, "tick": 1})
    metrics.count_each(catalogue.ENTRIES, {"ticket": 3})
    metrics.observe(catalogue.LATENCY, [0.02, 400.0])
    metrics.observe(catalogue.LATENCY, [])
    metrics.show_each(catalogue.EPOCH, [(("0",), 4), (("1",), 5)])
    metrics.show_each(catalogue.EPOCH, [(("1",), 6)])
    found = samples(metrics)
    assert found["riverdesk_batches_total", ()] == 1
    assert found["riverdesk_journal_entries_total", ("ticket",)] == 5
    assert found["riverdesk_latency_seconds_bucket", ("0.02",)] == 1
    assert found["riverdesk_latency_seconds_bucket", ("300.0",)] == 1
    assert found["riverdesk_latency_seconds_count", ()] == 2
    assert ("riverdesk_partition_epoch", ("0",)) not in found  # let go: no longer shown
    assert found["riverdesk_partition_epoch", ("1",)] == 6


def test_metric_of_another_role_cannot_be_counted() -> None:
    with pytest.raises(KeyError):
        Metrics("publisher").count(catalogue.ROWS, 1, "alerts")
