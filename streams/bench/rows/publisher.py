"""Records of the journal a second that the publisher goes through, and what each costs it."""

from typing import Any

from streams.bench.ground import Ground
from streams.bench.measuring import Spread, in_medians
from streams.bench.rows.backlog import Backlog
from streams.bench.rows.catch_up import forget_group, hour_away_s, running, settings_for, watch
from streams.publisher.positions import GROUP


def measure_publisher(ground: Ground) -> dict[str, Any]:
    """Give ``publisher``: records, outputs and CPU of a worker that catches up with a backlog."""
    ground.renew()
    total = Backlog(ground.directory).load(ground, ground.asked.events, lessons=False)
    total += ground.partitions  # the claims
    runs: dict[str, list[float]] = {}
    for _ in range(ground.asked.repeats):
        for name, value in _run(ground, total).items():
            runs.setdefault(name, []).append(value)
    figures = {name: Spread.over(values).as_json() for name, values in runs.items()}
    ground.tell(
        f"publisher: {figures['records_per_s']['median']:,.0f} records/s, "
        f"{figures['cpu_us_per_record']['median']} µs a record"
    )
    return {"publisher": in_medians(figures) | {"records": total}}


def _run(ground: Ground, total: int) -> dict[str, float]:
    settings = settings_for(ground, "publisher")
    config = settings.publisher.model_copy(update={"from_beginning": True})  # runs follow runs
    with running("publisher", settings.model_copy(update={"publisher": config})) as process:
        done, whole_s = watch(process, _behind, total, _behind)
        output_count = int(process.status()["published_count"])
    forget_group(ground, GROUP)
    return {
        "records_per_s": done.events_per_s,
        "cpu_us_per_record": done.cpu_us_per_event,
        "outputs_per_s": done.events_per_s * output_count / total,
        "outputs_per_record": output_count / total,
        "whole_s": whole_s,
        "hour_away_s": hour_away_s(done.events_per_s),
    }


def _behind(status: dict[str, Any]) -> int:
    return sum(partition["journal_next"] for partition in status["partitions"].values())
