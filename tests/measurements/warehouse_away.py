"""Memory and latency while the warehouse is away: ``python -m tests.measurements.warehouse_away``.

Starts an Apache Kafka, ClickHouse and the roles, takes ClickHouse away, publishes, samples the
resident memory of every role, brings ClickHouse back and waits until everything has landed.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from schemas.registry import JOURNAL
from streams.chaos.load import Load
from streams.chaos.observer import Observer
from streams.chaos.pauses import decided_waits
from streams.kafka import end_offset, make_consumer
from streams.local_kafka.server import KafkaServer
from streams.role import now_ms
from streams.settings import KafkaSettings, Settings, TopicSettings
from streams.simulator.company import company
from streams.simulator.schedule import Scheduled
from streams.stack.stack import Stack

PARTITIONS = 6
DAYS = 12.0
SAMPLE_EVERY_S = 5.0
MOST_WAITING = 1_000
PACED_PER_S = 200.0
COMPARED_S = 60.0
"""How long decisions are timed after everything has landed, to compare with the time before."""


def measure(events: int, directory: Path) -> dict[str, Any]:
    """Run it and give the curve and the summary."""
    with KafkaServer(directory / "kafka") as server:
        settings = Settings(
            kafka=KafkaSettings(bootstrap=server.bootstrap),
            topics=TopicSettings(partitions=PARTITIONS),
        )
        with Stack(settings, directory, embedded_broker=False) as stack:
            return _Run(stack, events).run()


class _Run:
    def __init__(self, stack: Stack, events: int) -> None:
        self._stack = stack
        self._events = events
        self._started_s = self._sampled_s = time.monotonic()
        self._curve: list[dict[str, float]] = []
        self._phase = "warehouse there"
        self._phases: list[tuple[str, int]] = []
        self._observer = Observer(lambda: stack.roles, lambda: dict(self._load.ends))
        self._consumer = make_consumer(stack.settings.kafka, group="riverdesk-measurement")
        self._asked_s = 0.0
        self._load = Load(stack.settings.kafka, self._observer.decided_count, MOST_WAITING)

    def run(self) -> dict[str, Any]:
        engine = self._stack.engine
        assert engine is not None
        schedule = company(1, self._events, now_ms() - int(DAYS * 86_400_000), DAYS)
        warm_up = self._events // 20
        with self._observer:
            self._begin("warehouse there")
            for number, event in enumerate(schedule):
                if number == warm_up:
                    self._begin("warehouse away")
                    engine.kill()
                self._load.publish(event)
                self._sample()
            self._load.flush()
            self._until_caught_up("desk")
            self._begin("warehouse back")
            engine.start()
            back_s = time.monotonic()
            paced = company(2, 1_000_000, now_ms() - int(DAYS * 86_400_000), DAYS)
            while not self._caught_up("archiver"):  # decisions go on meanwhile
                self._publish_paced(paced)
            catch_up_s = time.monotonic() - back_s
            self._begin("caught up")
            until_s = time.monotonic() + COMPARED_S
            while time.monotonic() < until_s:
                self._publish_paced(paced)
        return self._report(catch_up_s)

    def _publish_paced(self, events: Iterator[Scheduled]) -> None:
        self._load.publish(next(events))
        self._load.wait(1 / PACED_PER_S)
        self._sample()

    def _begin(self, phase: str) -> None:
        self._phase = phase
        self._phases.append((phase, now_ms()))
        print(f"{time.monotonic() - self._started_s:7.0f} s  {phase}", flush=True)

    def _sample(self) -> None:
        now_s = time.monotonic()
        if now_s - self._sampled_s < SAMPLE_EVERY_S:
            return
        self._sampled_s = now_s
        self._curve.append(
            {
                "at_s": round(now_s - self._started_s, 1),
                "away": float(self._phase == "warehouse away"),
                "decided": self._observer.decided_count(),
                "archived": sum(
                    at for (topic, _), at in self._observer.positions["archiver"].items()
                    if topic == JOURNAL.name
                ),
                **{each.role: round(rss_mb(each.pid), 1) for each in self._stack.roles},
            }
        )  # fmt: skip

    def _caught_up(self, role: str) -> bool:
        positions = self._observer.positions[role]
        if role == "desk":
            return all(positions.get(place, 0) >= end for place, end in self._load.ends.items())
        if time.monotonic() - self._asked_s < 1.0:
            return False
        self._asked_s = time.monotonic()
        waiting = sum(
            end_offset(self._consumer, JOURNAL.name, number)
            - positions.get((JOURNAL.name, number), 0)
            for number in range(PARTITIONS)
        )
        return waiting < 2_000

    def _until_caught_up(self, role: str) -> None:
        while not self._caught_up(role):
            time.sleep(0.5)
            self._sample()

    def _report(self, catch_up_s: float) -> dict[str, Any]:
        waits = decided_waits(self._stack.settings.kafka, PARTITIONS)
        bounds = [at_ms for _, at_ms in self._phases] + [now_ms()]
        latency = {}
        for (phase, since_ms), until_ms in zip(self._phases, bounds[1:], strict=True):
            ms = sorted(
                each.appended_ms - each.published_ms
                for each in waits
                if since_ms <= each.published_ms < until_ms
            )
            latency[phase] = {"events": len(ms), "p50_ms": _at(ms, 0.5), "p99_ms": _at(ms, 0.99)}
        away = [point for point in self._curve if point["away"]]
        return {
            "events": self._events,
            "away_s": round(away[-1]["at_s"] - away[0]["at_s"], 1),
            "catch_up_s": round(catch_up_s, 1),
            "rss_mb": {role: _growth(away, role) for role in ("desk", "publisher", "archiver")},
            "latency": latency,
            "curve": self._curve,
        }


def rss_mb(pid: int | None) -> float:
    """Give a process's resident memory."""
    if pid is None:
        return 0.0
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _growth(points: Sequence[dict[str, float]], role: str) -> dict[str, float]:
    """Give the memory in the first and the last tenth of the time, and the most."""
    values = [point[role] for point in points]
    tenth = max(1, len(values) // 10)
    return {
        "first": round(statistics.median(values[:tenth]), 1),
        "last": round(statistics.median(values[-tenth:]), 1),
        "most": max(values),
    }


def _at(ordered: Sequence[int], share: float) -> int | None:
    return ordered[int(share * (len(ordered) - 1))] if ordered else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="riverdesk-away-") as directory:
        report = measure(arguments.events, Path(directory))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1))
    print(json.dumps({name: value for name, value in report.items() if name != "curve"}, indent=1))


if __name__ == "__main__":
    main()
