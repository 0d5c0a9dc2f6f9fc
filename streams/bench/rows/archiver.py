"""Rows a second into ClickHouse, and what each costs the archiver.

A row is one of any table; a record of the journal makes two or three. The warehouse is the
engine of the embedded stack, in a process of its own.
"""

from typing import Any

from sinks.embedded.process import EmbeddedClickHouse
from sinks.migrate import migrate
from streams.archiver.notes import GROUP
from streams.bench.ground import Ground
from streams.bench.measuring import Instant, Spread, in_medians, slope
from streams.bench.rows.backlog import Backlog
from streams.bench.rows.catch_up import forget_group, hour_away_s, running, settings_for, watch
from streams.warehouse import open_warehouse

TIMES = 2
"""So many times the events of other parts: ranges are large, and too few of them tell no slope."""


def measure_archiver(ground: Ground) -> dict[str, Any]:
    """Give ``archiver``: rows and CPU of a worker that catches up with a backlog."""
    ground.renew()
    total = Backlog(ground.directory).load(ground, TIMES * ground.asked.events, lessons=True)
    total += ground.partitions  # the claims
    runs: dict[str, list[float]] = {}
    with EmbeddedClickHouse(ground.directory / ground.name("clickhouse")) as engine:
        for number in range(ground.asked.repeats):
            for name, value in _run(ground, engine, total, f"rows_{number}").items():
                runs.setdefault(name, []).append(value)
    figures = {name: Spread.over(values).as_json() for name, values in runs.items()}
    ground.tell(
        f"archiver: {figures['rows_per_s']['median']:,.0f} rows/s, "
        f"{figures['cpu_us_per_row']['median']} µs a row"
    )
    return {"archiver": in_medians(figures) | {"records": total}}


def _run(ground: Ground, engine: EmbeddedClickHouse, total: int, database: str) -> dict[str, float]:
    settings = settings_for(ground, "archiver")
    warehouse = settings.warehouse.model_copy(
        update={"host": engine.host, "port": engine.port, "database": database}
    )
    settings = settings.model_copy(update={"warehouse": warehouse})
    with open_warehouse(warehouse) as opened:
        migrate(opened)
    if engine.pid is None:
        raise RuntimeError("the warehouse has ended")
    before = Instant.of(engine.pid, 0)
    with running("archiver", settings) as process:
        done, whole_s = watch(process, _behind, total, lambda status: int(status["row_count"]))
        row_count = int(process.status()["row_count"])
    after = Instant.of(engine.pid, row_count)
    forget_group(ground, GROUP)
    with open_warehouse(warehouse) as opened:
        opened.execute(f"DROP DATABASE {database}")
    return {
        "rows_per_s": done.events_per_s,
        "cpu_us_per_row": done.cpu_us_per_event,
        "rows_per_record": row_count / total,
        "warehouse_cpu_us_per_row": slope(before, after).cpu_us_per_event,
        "whole_s": whole_s,
        "hour_away_s": hour_away_s(done.events_per_s / row_count * total),
    }


def _behind(status: dict[str, Any]) -> int:
    return sum(status["positions"].values())
