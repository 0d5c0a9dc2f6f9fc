"""docs/metrics.md and the alerts of docs/operation.md name the metrics that there are."""

import re
from pathlib import Path

from streams.health.catalogue import ALL, CATALOGUE, Metric
from streams.roles import ROLES

DOCS = Path(__file__).parents[1] / "docs"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \| (.*) \|$", re.MULTILINE)
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def row(metric: Metric) -> tuple[str, ...]:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    roles = "all" if metric.roles == ALL else ", ".join(metric.roles)
    return metric.name, metric.kind, labels, roles, metric.meaning


def test_table_lists_every_metric_and_no_other() -> None:
    documented = ROW.findall((DOCS / "metrics.md").read_text())
    assert documented == [row(metric) for metric in CATALOGUE]


def test_names_are_unique_and_say_their_type_and_unit() -> None:
    names = [metric.name for metric in CATALOGUE]
    assert len(set(names)) == len(names)
    for metric in CATALOGUE:
        assert (metric.kind == "counter") == metric.name.endswith("_total"), metric.name
        assert (metric.kind == "histogram") == bool(metric.bounds), metric.name
        assert list(metric.bounds) == sorted(set(metric.bounds)), metric.name
        assert metric.meaning.endswith((".", "`")), metric.name
    assert ALL == ROLES


def test_alerts_use_metrics_that_exist() -> None:
    text = (DOCS / "operation.md").read_text()
    section = text.split("## Health and metrics")[1].split("\n## ")[0]
    used = set(re.findall(r"\b(?:riverdesk|process)_[a-z_]+", section))
    assert len(used) > 10
    names = {metric.name for metric in CATALOGUE}
    histograms = {metric.name for metric in CATALOGUE if metric.kind == "histogram"}
    assert {
        name for name in used if name not in names and SUFFIX.sub("", name) not in histograms
    } == set()
