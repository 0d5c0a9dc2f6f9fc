"""What ``riverdesk bench`` can measure, by name.

To add a measure: write a function that takes a :class:`streams.bench.ground.Ground` and gives JSON
under the keys that the report is to have, and enter it here. Parts that give the same key are
merged, the later one on top.
"""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.errors import UnavailableError
from streams.bench.desk import measure_ratio
from streams.bench.fixed_job import measure_desk, measure_peers
from streams.bench.ground import Ground
from streams.bench.growth.parts import GROWTH, soak
from streams.bench.latency import measure_latency
from streams.bench.rows.archiver import measure_archiver
from streams.bench.rows.publisher import measure_publisher
from streams.bench.scale import measure_scale

Measure = Callable[[Ground], dict[str, Any]]

PARTS: dict[str, Measure] = {
    "fixed_job": measure_desk,
    "peers": measure_peers,
    "desk": measure_ratio,
    "latency": measure_latency,
    "scale": measure_scale,
    "archiver": measure_archiver,
    "publisher": measure_publisher,
    **GROWTH,
    "soak": lambda ground: soak(ground, ground.asked.soak_minutes),
}

PLAIN = tuple(name for name in PARTS if name not in ("fixed_job", "soak"))
"""What a run without a name measures: ``peers`` has ``fixed_job`` in it, ``soak`` takes long."""


def run(names: tuple[str, ...], ground: Ground) -> dict[str, Any]:
    """Run parts in their order and give one report; what failed is named under ``failed``."""
    report: dict[str, Any] = {}
    for name in names:
        ground.tell(f"{name} …")
        try:
            report = merge(report, PARTS[name](ground))
        except UnavailableError as fault:
            ground.tell(f"{name} failed: {fault}")
            report = merge(report, {"failed": {name: str(fault)}})
    return report


def merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one report over another, deep.

    >>> merge({"peers": {"confluent": {"a": 1}}}, {"peers": {"confluent": {"b": 2}}})
    {'peers': {'confluent': {'a': 1, 'b': 2}}}
    """
    merged = dict(first)
    for name, value in second.items():
        there = merged.get(name)
        both = isinstance(there, Mapping) and isinstance(value, Mapping)
        merged[name] = merge(there, value) if both else value  # type: ignore[arg-type]
    return merged
