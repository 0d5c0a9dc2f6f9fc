"""What ten, a hundred and a thousand times the load take, reckoned from a bench's own report.

Only what was measured is multiplied; the few figures that were not (:data:`ASSUMED`) are named as
assumptions wherever the result is shown. A part that was not measured stays out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

LOADS_PER_S = (300, 3_000, 30_000, 300_000)
USED_SHARE = 0.6
"""How much of a core a worker may use on average: the rest is for peaks and for catching up."""
LESSON_SHARE = 0.2
"""How much of a core lessons may take in each desk; beyond it the policy samples less."""
PARTITIONS_PER_WORKER = 4
"""So that workers can be added twice before topics have to be made anew."""
FEWEST_PARTITIONS = 12
REPLICAS = 3
BROKER_MB_PER_S = 50.0
SHARD_CORES = 8
ASSUMED = {
    "replicas of every record": REPLICAS,
    "MB/s that one Kafka broker writes, replicas included": BROKER_MB_PER_S,
    "cores of one ClickHouse shard": SHARD_CORES,
    "share of a core, of a broker and of a shard that may be used": USED_SHARE,
}
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Costs:
    """What one event costs; ``None`` where it was not measured.

    Args:
        event_us: CPU of a desk, without lessons.
        lesson_us: CPU of each desk for each lesson.
        lessons_per_event: With the first policy.
        publisher_us: CPU of the publisher.
        rows_per_event: In the warehouse.
        archiver_us: CPU of the archiver for each row.
        warehouse_us: CPU of ClickHouse for each row.
        event_bytes: Of an input record.
        journal_bytes: Of its decision.
        state_bytes: Of the desk's disk, and stays.
    """

    event_us: float
    lesson_us: float
    lessons_per_event: float
    publisher_us: float | None = None
    rows_per_event: float | None = None
    archiver_us: float | None = None
    warehouse_us: float | None = None
    event_bytes: float | None = None
    journal_bytes: float | None = None
    state_bytes: float | None = None

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Self | None:
        """Read the costs from a report; ``None`` where the desk or the lessons are missing."""
        lesson_us, per_event = figure(report, "lessons.us"), figure(report, "lessons.per_event")
        whole_us = figure(report, "desk.cpu_us") or figure(report, "soak.cpu_us.level")
        if whole_us is None or lesson_us is None or per_event is None:
            return None
        return cls(
            event_us=max(whole_us - per_event * lesson_us, 0.0),
            lesson_us=lesson_us,
            lessons_per_event=per_event,
            publisher_us=figure(report, "publisher.cpu_us_per_record"),
            rows_per_event=figure(report, "archiver.rows_per_record"),
            archiver_us=figure(report, "archiver.cpu_us_per_row"),
            warehouse_us=figure(report, "archiver.warehouse_cpu_us_per_row"),
            event_bytes=figure(report, "state.bytes.event"),
            journal_bytes=figure(report, "state.bytes.journal"),
            state_bytes=figure(report, "state.disk_bytes_per_event"),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a load takes; ``None`` where a cost was not measured."""

    events_per_s: int
    desks: int
    partitions: int
    lessons_per_s: float
    taught_share: float
    """How many of the lessons the policy may still make; 1 is all."""
    lesson_core_share: float
    publishers: int | None
    archivers: int | None
    rows_per_s: float | None
    shards: int | None
    written_mb_per_s: float | None
    brokers: int | None
    journal_gb_per_day: float | None
    state_gb_per_day: float | None


def plans(costs: Costs, loads_per_s: Sequence[int] = LOADS_PER_S) -> list[Plan]:
    """Give a plan for each load."""
    return [plan(costs, load) for load in loads_per_s]


def plan(costs: Costs, load: int) -> Plan:
    """Give what a load of so many events a second takes.

    Every desk folds all lessons: that share of its core is lost to it whatever their number. From
    :data:`LESSON_SHARE` on, fewer lessons are made, else more desks would help less and less.
    """
    made = load * costs.lessons_per_event
    followed = LESSON_SHARE * 1e6 / costs.lesson_us
    lessons = min(made, followed)
    lesson_share = lessons * costs.lesson_us / 1e6
    desks = _count(load * costs.event_us / 1e6, USED_SHARE - lesson_share)
    rows = _times(costs.rows_per_event, load)
    written = _times(_sum(costs.event_bytes, costs.journal_bytes), load * REPLICAS / 1e6)
    return Plan(
        events_per_s=load,
        desks=desks,
        partitions=max(FEWEST_PARTITIONS, desks * PARTITIONS_PER_WORKER),
        lessons_per_s=lessons,
        taught_share=lessons / made if made else 1.0,
        lesson_core_share=lesson_share,
        publishers=_workers(costs.publisher_us, load),
        archivers=_workers(costs.archiver_us, rows),
        rows_per_s=rows,
        shards=_workers(costs.warehouse_us, rows, SHARD_CORES),
        written_mb_per_s=written,
        brokers=None
        if written is None
        else max(REPLICAS, _count(written, USED_SHARE * BROKER_MB_PER_S)),
        journal_gb_per_day=_times(costs.journal_bytes, load * DAY_S / 1e9),
        state_gb_per_day=_times(costs.state_bytes, load * DAY_S / 1e9),
    )


def figure(report: Mapping[str, Any], path: str) -> float | None:
    """Give a figure by its dotted path: a number, or the median of a spread; ``None`` if missing.

    >>> figure({"a": {"b": {"median": 2.0, "min": 1.0}}}, "a.b")
    2.0
    """
    found: Any = report
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping):
        found = found.get("median")
    return float(found) if isinstance(found, int | float) else None


def _workers(cost_us: float | None, per_s: float | None, cores: int = 1) -> int | None:
    if cost_us is None or per_s is None:
        return None
    return _count(per_s * cost_us / 1e6, USED_SHARE * cores)


def _count(needed: float, each: float) -> int:
    return max(1, math.ceil(needed / each))


def _times(cost: float | None, factor: float) -> float | None:
    return None if cost is None else cost * factor


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
