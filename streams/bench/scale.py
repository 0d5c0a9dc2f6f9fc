"""Two desks against one on the same backlog of the fixed job, and what the machine lets two do.

``machine_ratio`` is what two processes that only run the fixed job's functions do together against
one, while records are read and written at the desks' rate: no two workers can be nearer to 2 than
that on this machine. ``broker_cpu_percent`` says what the broker took of the same cores meanwhile.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from schemas.registry import JOURNAL
from streams.bench.engine_process import EngineProcess, Other, measure
from streams.bench.fixed_job import FLOOR_S, floor_run, preload
from streams.bench.ground import Ground
from streams.bench.measuring import Spread, in_medians


def measure_scale(ground: Ground) -> dict[str, Any]:
    """Give ``scale``."""
    ones, twos, machines = [], [], []
    workers: list[float] = []
    brokers: list[float] = []
    preload(ground)
    for number in range(ground.asked.repeats):
        one, _, _ = _desks(ground, 1)
        two, busy, broker = _desks(ground, 2)
        machine = _machine_ratio(ground, two)
        ones.append(one)
        twos.append(two)
        machines.append(machine)
        workers.append(busy)
        brokers.append(broker)
        ground.tell(
            f"run {number + 1}, two desks {two:,.0f} events/s, one {one:,.0f}: "
            f"{two / one:.2f}; the machine allows {machine:.2f}"
        )
    figures = {
        "ratio": Spread.over(two / one for one, two in zip(ones, twos, strict=True)).as_json(3),
        "machine_ratio": Spread.over(machines).as_json(3),
        "one_events_per_s": Spread.over(ones).as_json(),
        "two_events_per_s": Spread.over(twos).as_json(),
        "idlest_worker_cpu_percent": Spread.over(workers).as_json(),
        "broker_cpu_percent": Spread.over(brokers).as_json(),
    }
    return {"scale": in_medians(figures) | {"job": "fixed_job"}}


def _desks(ground: Ground, count: int) -> tuple[float, float, float]:
    """Give events/s of so many desks, the CPU % of the idlest and that of the broker."""
    ground.renew([JOURNAL.name])
    desks = [EngineProcess("desk", ground.settings_for(ground.name("desk"))) for _ in range(count)]
    broker = [Other(ground.broker_pid)] if ground.broker_pid is not None else []
    with ExitStack() as open_:
        for desk in desks:
            open_.enter_context(desk)
        runs = measure([*desks, *broker], lambda: ground.count(JOURNAL.name), ground.asked.events)
    workers, others = runs[:count], runs[count:]
    return (
        workers[0].events_per_s,
        min(run.cpu_percent for run in workers),
        sum(run.cpu_percent for run in others),
    )


def _machine_ratio(ground: Ground, beside_per_s: float) -> float:
    output = ground.add_topic(ground.name("pump"))
    settings = ground.settings_for(output)
    with (
        EngineProcess("pump", settings, [output, str(beside_per_s)]),
        ThreadPoolExecutor(2) as threads,
    ):
        (one,) = threads.map(floor_run, [FLOOR_S])
        two = list(threads.map(floor_run, [FLOOR_S, FLOOR_S]))
    ground.drop_topic(output)
    return sum(run.events_per_s for run in two) / one.events_per_s
