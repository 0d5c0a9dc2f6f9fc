"""The real desk against its own pure core: the same events, the same lessons, the same records.

The desk reads the simulated company's tickets, transactions and feedback from a backlog; the
publisher runs, so that lessons flow. It is measured in turns with the pure core: the desk does a
thousand records, then the pure core does what came to the journal, beside a process that keeps the
broker busy (see :mod:`streams.bench.turns` for why). Whatever else the machine does slows both.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.errors import UnavailableError
from streams.bench.company import Load
from streams.bench.engine_process import LOOK_EVERY_S, EngineProcess, warm_up
from streams.bench.ground import Ground
from streams.bench.measuring import Instant, Spread, in_medians
from streams.bench.turns import let
from streams.settings import Settings
from streams.stack.role_process import environment

EVENTS = 20_000
WARM_UP_RECORDS = 5_000
TURN_RECORDS = 1_000
TURNS = 13
TURN_PATIENCE_S = 60.0


class Done(NamedTuple):
    """What the pure core did in one turn.

    Args:
        records: Of the journal.
        events: Of those, the ones about an event.
        cpu_s: Used meanwhile.
        same: Records about an event that are byte for byte those of the journal.
    """

    records: int
    events: int
    cpu_s: float
    same: int


@dataclass(frozen=True, slots=True)
class Run:
    """What both used for the same records.

    Args:
        desk_us: CPU an event.
        core_us: The same of the pure core.
        events_per_s: Of the desk.
        same_share: Of the events, those whose record the pure core gave again.
        broker_percent: CPU of the broker in the desk's turns.
        broker_beside_core_percent: The same in the pure core's turns.
    """

    desk_us: float
    core_us: float
    events_per_s: float
    same_share: float
    broker_percent: float
    broker_beside_core_percent: float


def measure_ratio(ground: Ground) -> dict[str, Any]:
    """Give ``desk``: its CPU an event over that of the pure core."""
    runs: list[Run] = []
    for number in range(ground.asked.repeats):
        runs.append(_run(ground))
        ground.tell(
            f"run {number + 1}, real desk: {runs[-1].desk_us:.0f} µs an event, pure core "
            f"{runs[-1].core_us:.0f}, ratio {runs[-1].desk_us / runs[-1].core_us:.2f}, "
            f"{runs[-1].events_per_s:,.0f} events/s"
        )
    figures = {
        "ratio_to_core": Spread.over(run.desk_us / run.core_us for run in runs).as_json(3),
        "cpu_us": Spread.over(run.desk_us for run in runs).as_json(),
        "core_us": Spread.over(run.core_us for run in runs).as_json(),
        "events_per_s": Spread.over(run.events_per_s for run in runs).as_json(),
        "broker_percent": Spread.over(run.broker_percent for run in runs).as_json(),
        "broker_beside_core_percent": Spread.over(
            run.broker_beside_core_percent for run in runs
        ).as_json(),
    }
    same = min(run.same_share for run in runs)
    return {"desk": in_medians(figures) | {"same_records_ratio": same}}


def _run(ground: Ground) -> Run:
    load = Load(ground, EVENTS)
    with _pure_core(ground.settings_for(ground.name("core"))) as core:
        core.catch_up()  # on nothing: it has started, and the desk will not have to wait for that
        with load.running() as desk, _going(desk):
            per_s = warm_up([desk], load.decided, WARM_UP_RECORDS, float("inf"))
            let([], [desk])  # at once: the backlog is for the turns
            return _in_turns(ground, load, desk, core, per_s)


def _in_turns(
    ground: Ground, load: Load, desk: EngineProcess, core: "PureCoreProcess", per_s: float
) -> Run:
    output = ground.add_topic(ground.name("pump"))
    settings, arguments = ground.settings_for(ground.name("pump")), [output, str(per_s), "company"]
    with EngineProcess("pump", settings, arguments) as pump, _going(pump):
        core.catch_up()
        let([desk], [pump])
        first = last = Instant.of(desk.pid, done := load.decided())
        turns: list[Done] = []
        desk_watch, core_watch = _Watch(ground.broker_pid), _Watch(ground.broker_pid)
        for turn in range(1, TURNS + 1):
            with desk_watch.running():
                _await_records(desk, load, done + turn * TURN_RECORDS)
                last = Instant.of(desk.pid, load.decided())
            let([pump], [desk])
            with core_watch.running():
                turns.append(core.catch_up())
            let([desk], [pump])
    ground.drop_topic(output)
    records, events = sum(each.records for each in turns), sum(each.events for each in turns)
    desk_events = (last.events - first.events) * events / records
    return Run(
        desk_us=(last.cpu_s - first.cpu_s) / desk_events * 1e6,
        core_us=sum(each.cpu_s for each in turns) / events * 1e6,
        events_per_s=desk_events / desk_watch.wall_s,
        same_share=sum(each.same for each in turns) / events,
        broker_percent=desk_watch.broker_percent,
        broker_beside_core_percent=core_watch.broker_percent,
    )


def _await_records(desk: EngineProcess, load: Load, until_count: int) -> None:
    deadline = time.monotonic() + TURN_PATIENCE_S
    while (done := load.decided()) < until_count:
        _ = desk.pid  # or say why it ended
        if time.monotonic() > deadline:
            raise UnavailableError(f"the desk stands still at {done} of {until_count} records")
        time.sleep(LOOK_EVERY_S)


class _Watch:
    """Adds up what passes in the turns of one side, and what the broker uses meanwhile."""

    def __init__(self, broker_pid: int | None) -> None:
        self.wall_s = 0.0
        self._broker_pid = broker_pid
        self._broker_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch one turn."""
        first = self._look()
        yield
        second = self._look()
        self.wall_s += second.at_s - first.at_s
        self._broker_s += second.cpu_s - first.cpu_s

    @property
    def broker_percent(self) -> float:
        """CPU of the broker, of one core; 0 where it is not known."""
        return 100 * self._broker_s / self.wall_s

    def _look(self) -> Instant:
        if self._broker_pid is None:
            return Instant(time.perf_counter(), 0.0, 0)
        return Instant.of(self._broker_pid, 0)


@contextmanager
def _going(*processes: EngineProcess) -> Iterator[None]:
    """Let processes go on in the end: a stopped one would not end."""
    try:
        yield
    finally:
        let(processes, [])


class PureCoreProcess:
    """:mod:`streams.bench.engines.pure_core` in a process of its own, between two turns.

    Args:
        process: Started with pipes.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def catch_up(self) -> Done:
        """Have it do what is new on the journal, and wait for it.

        Raises:
            UnavailableError: it has ended.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        print(file=process.stdin, flush=True)
        line = process.stdout.readline()
        if not line:
            raise UnavailableError(f"the pure core has ended with {process.wait()}")
        records, events, cpu_s, same = line.split()
        return Done(int(records), int(events), float(cpu_s), int(same))


@contextmanager
def _pure_core(settings: Settings) -> Iterator[PureCoreProcess]:
    """Start the pure core; it ends with its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streams.bench.engines.pure_core"],
        env={**os.environ, **environment(settings)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # closes the pipes, and waits
        yield PureCoreProcess(process)
