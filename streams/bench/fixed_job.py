"""The fixed job on every engine, each with the floor that belongs to it.

Two busy hyperthreads slow each other, so a floor measured on an idle machine is too low for an
engine that a broker works beside; and whatever else runs on the machine changes from second to
second. The floor that an engine is compared with (``floor_us``) is therefore measured in turns of a
second with it (:mod:`streams.bench.turns`), beside a process that reads and writes as many records
a second as the engine: the broker is as busy, but nothing else of the engine is there.
``floor_idle_us`` is the same functions alone on an idle broker.

Overhead is CPU (user and system, all threads) an event less that floor. ``scaled_us`` is the
overhead times 46 µs over the floor: what it would be where the floor is 46 µs.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from models.fixed_job.payloads import payloads
from schemas.errors import UnavailableError
from schemas.registry import JOURNAL, TRANSACTIONS
from streams.bench.engine_process import EngineProcess, warm_up
from streams.bench.ground import CUSTOMERS, Event, Ground
from streams.bench.interpreters import versions
from streams.bench.measuring import Slope, Spread, in_medians
from streams.bench.turns import in_turns, resting_floor

REFERENCE_FLOOR_US = 46.0
FLOOR_S = 3.0
WARM_UP_SHARE, WARM_UP_S = 0.25, 4.0
END_SHARE = 0.9
FEWEST_PER_S = 1_000.0
SEED = 1


@dataclass(frozen=True, slots=True)
class Engine:
    """How an engine is started.

    Args:
        name: Its key among the figures.
        module: Below ``streams.bench.engines``.
        package: Without it the engine is left out.
        has_changelog: It takes a second topic.
        is_apart: It runs with the interpreter of the peers.
    """

    name: str
    module: str
    package: str = ""
    has_changelog: bool = False
    is_apart: bool = False

    def python(self, peers_python: str) -> str:
        """Give the interpreter that it runs with."""
        return peers_python if self.is_apart else sys.executable

    def is_there(self, peers_python: str) -> bool:
        """Tell whether what it needs is installed.

        Raises:
            UnavailableError: its interpreter does not run.
        """
        python = self.python(peers_python)
        return not self.package or self.package in versions(python, [self.package])


DESK = Engine("desk", "desk")
PEERS = (
    Engine("quix_state", "quix_state", "quixstreams", is_apart=True),
    Engine("bytewax_state", "bytewax_state", "bytewax", is_apart=True),
    Engine("confluent", "confluent"),
    Engine("confluent_changelog", "confluent", has_changelog=True),
    Engine("faust_agent", "faust_agent", "cramjam"),
)


@dataclass(slots=True)
class Figures:
    """What the runs of one engine gave; lists are in the order of the runs."""

    cpu_us: list[float] = field(default_factory=list)
    floor_us: list[float] = field(default_factory=list)
    events_per_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """What went wrong in runs that gave no figure."""

    def add(self, run: Slope, floor_us: float) -> None:
        """Take a run and its floor."""
        self.cpu_us.append(run.cpu_us_per_event)
        self.floor_us.append(floor_us)
        self.events_per_s.append(run.events_per_s)

    @property
    def overhead_us(self) -> Spread:
        """CPU an event over the floor of the same run."""
        return Spread.over(c - f for c, f in zip(self.cpu_us, self.floor_us, strict=True))

    def as_json(self) -> dict[str, Any]:
        """Give the medians, their spread under ``spread``, and the number of runs that failed."""
        if not self.cpu_us:
            return {"failed_runs": len(self.failures), "failures": self.failures}
        pairs = zip(self.cpu_us, self.floor_us, strict=True)
        spreads = {
            "overhead_us": self.overhead_us,
            "floor_us": Spread.over(self.floor_us),
            "scaled_us": Spread.over((c - f) * REFERENCE_FLOOR_US / f for c, f in pairs),
            "cpu_us": Spread.over(self.cpu_us),
            "events_per_s": Spread.over(self.events_per_s),
        }
        figures = in_medians({name: each.as_json() for name, each in spreads.items()})
        return figures | {"failed_runs": len(self.failures)}


def measure_desk(ground: Ground) -> dict[str, Any]:
    """Give ``fixed_job``: the desk alone."""
    return compare(ground, [DESK])


def measure_peers(ground: Ground) -> dict[str, Any]:
    """Give ``fixed_job`` and ``peers``: the desk and every engine that is installed."""
    chosen = [
        engine
        for engine in (DESK, *PEERS)
        if not ground.asked.engines or engine.name in ground.asked.engines
    ]
    return compare(ground, chosen)


def compare(ground: Ground, engines: Sequence[Engine]) -> dict[str, Any]:
    """Run engines in turn, as often as asked, on the same backlog."""
    present = [engine for engine in engines if engine.is_there(ground.asked.peers_python)]
    left_out = [engine.name for engine in engines if engine not in present]
    for name in left_out:
        ground.tell(f"{name} left out: not installed; `make bench` installs it")
    preload(ground)
    figures = {engine.name: Figures() for engine in present}
    idle_us: list[float] = []
    for number in range(ground.asked.repeats):
        idle_us.append(floor_run(FLOOR_S).cpu_us_per_event)
        for engine in present:
            try:
                run, floor = work_off(ground, engine)
            except UnavailableError as fault:
                figures[engine.name].failures.append(str(fault))
                ground.tell(f"run {number + 1}, {engine.name} failed: {fault}")
                continue
            beside_us = floor.cpu_us_per_event
            figures[engine.name].add(run, beside_us)
            ground.tell(
                f"run {number + 1}, {engine.name}: {run.cpu_us_per_event:.1f} µs an event over a "
                f"floor of {beside_us:.1f}, {run.events_per_s:,.0f} events/s"
            )
    return report(figures, Spread.over(idle_us), left_out)


def report(
    figures: Mapping[str, Figures], idle_us: Spread, left_out: Sequence[str]
) -> dict[str, Any]:
    """Give the figures under their fixed keys."""
    found: dict[str, Any] = {"floor_idle_us": idle_us.as_json()["median"]}
    if DESK.name in figures:
        found |= figures[DESK.name].as_json()
    peers = {name: each.as_json() for name, each in figures.items() if name != DESK.name}
    result: dict[str, Any] = {"fixed_job": found}
    if peers or left_out:
        result["peers"] = peers | {"left_out": list(left_out)}
    return result


def preload(ground: Ground) -> None:
    """Publish the backlog of the fixed job to empty topics."""
    ground.renew()
    ground.publish(backlog(ground.asked.events))
    ground.tell(f"{ground.asked.events:,} transactions published")


def backlog(count: int) -> list[Event]:
    """Give so many events of the fixed job."""
    events = islice(payloads(SEED, count, CUSTOMERS), count)
    return [(TRANSACTIONS.name, key.decode(), raw) for key, raw in events]


def start(ground: Ground, engine: Engine) -> tuple[EngineProcess, str]:
    """Give an engine that is about to read from the beginning, and the topic it answers on."""
    worker = ground.name(engine.name)
    settings = ground.settings_for(worker)
    if engine is DESK:
        ground.renew([JOURNAL.name])  # and so it begins anew
        return EngineProcess(engine.module, settings), JOURNAL.name
    output = ground.add_topic(f"{worker}-out")
    arguments = [output]
    if engine.has_changelog:
        arguments.append(ground.add_topic(f"{worker}-changelog", **{"cleanup.policy": "compact"}))
    python = engine.python(ground.asked.peers_python)
    return EngineProcess(engine.module, settings, arguments, python=python), output


def work_off(ground: Ground, engine: Engine) -> tuple[Slope, Slope]:
    """Run an engine over the backlog once; gives what it did, and what its floor did in turns."""
    process, output = start(ground, engine)
    backlog = ground.asked.events

    def count() -> int:
        return ground.count(output)

    with resting_floor(ground) as (floor, counter), process:
        per_s = max(warm_up([process], count, backlog * WARM_UP_SHARE, WARM_UP_S), FEWEST_PER_S)
        until = int(backlog * END_SHARE)
        found = in_turns(ground, process, floor, counter, count, until, per_s)
    if output != JOURNAL.name:
        ground.drop_topic(output)
    return found


def floor_run(seconds: float) -> Slope:
    """Run the functions alone, in a process of their own."""
    command = [sys.executable, "-m", "streams.bench.engines.floor", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    events, wall_s, cpu_s = done.stdout.split()
    return Slope(int(events), float(wall_s), float(cpu_s))
