"""The real desk against its own pure core: the same events, the same lessons, the same records.

The desk reads the simulated company's tickets, transactions and feedback from a backlog; the
publisher runs, so that lessons flow. Between two instants its CPU an event is taken; then the pure
core does the same part of the journal again in a process of its own, beside a process that keeps
the broker as busy (see :mod:`streams.bench.fixed_job` for why).
"""

import os
import subprocess
import sys
from typing import Any

from streams.bench.company import Load
from streams.bench.engine_process import EngineProcess, measure
from streams.bench.ground import Ground
from streams.bench.measuring import Spread, in_medians
from streams.settings import Settings
from streams.stack.role_process import environment

EVENTS = 20_000


def measure_ratio(ground: Ground) -> dict[str, Any]:
    """Give ``desk``: its CPU an event over that of the pure core."""
    ratios: list[float] = []
    cpus_us: list[float] = []
    cores_us: list[float] = []
    rates: list[float] = []
    same: list[float] = []
    for number in range(ground.asked.repeats):
        load = Load(ground, EVENTS)
        counts: list[int] = []

        def decided(load: Load = load, counts: list[int] = counts) -> int:
            counts.append(load.decided())
            return counts[-1]

        with load.running() as desk:
            (run,) = measure([desk], decided, EVENTS, window_s=20.0)
        second = counts[-1]
        first = second - run.events
        events, core_us, share = _core(ground, load.ends_at(first), load.ends_at(second), run)
        cpus_us.append(run.cpu_s / events * 1e6)
        cores_us.append(core_us)
        ratios.append(cpus_us[-1] / core_us)
        rates.append(events / run.wall_s)
        same.append(share)
        ground.tell(
            f"run {number + 1}, real desk: {cpus_us[-1]:.0f} µs an event, pure core "
            f"{core_us:.0f}, ratio {ratios[-1]:.2f}, {rates[-1]:,.0f} events/s"
        )
    figures = {
        "ratio_to_core": Spread.over(ratios).as_json(3),
        "cpu_us": Spread.over(cpus_us).as_json(),
        "core_us": Spread.over(cores_us).as_json(),
        "events_per_s": Spread.over(rates).as_json(),
    }
    return {"desk": in_medians(figures) | {"same_records_ratio": min(same)}}


def _core(
    ground: Ground, first: list[int], second: list[int], run: Any
) -> tuple[int, float, float]:
    """Give events, CPU an event in µs, and the share of records that came out again."""
    settings = ground.settings_for(ground.name("core"))
    output = ground.add_topic(ground.name("pump"))
    with EngineProcess("pump", settings, [output, str(run.events_per_s)]) as pump:
        events, cpu_s, share = _alone(settings, first, second)
        _ = pump.pid  # it has not ended meanwhile
    ground.drop_topic(output)
    return events, cpu_s / events * 1e6, share


def _alone(settings: Settings, first: list[int], second: list[int]) -> tuple[int, float, float]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "streams.bench.engines.pure_core"),
            *(",".join(map(str, ends)) for ends in (first, second)),
        ],
        env={**os.environ, **environment(settings)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    events, cpu_s, share = done.stdout.split()[-3:]
    return int(events), float(cpu_s), float(share)
