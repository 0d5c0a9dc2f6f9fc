"""Latency from publishing to the journal at a fixed rate, and the worker's CPU meanwhile.

One clock: an event carries the moment at which its producer handed it to the client, a decision
the moment at which the broker appended it (``message.timestamp.type=LogAppendTime``), both whole
milliseconds of this machine. The way to the broker is in it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.codec import decode_json
from schemas.errors import UnavailableError
from schemas.registry import INPUTS, JOURNAL
from streams.bench.company import Load
from streams.bench.engine_process import START_PATIENCE_S, EngineProcess, measure
from streams.bench.fixed_job import DESK, PEERS, Engine, backlog, start
from streams.bench.ground import Ground
from streams.bench.measuring import Instant, Slope, Spread, in_medians, slope
from streams.journal.reader import Entry, read
from streams.kafka import make_consumer

WARM_UP_EVENTS = 1_000
WARM_UP_SHARE = 0.2
"""The first part of what is published at a rate does not count: the broker compiles then."""
COMPANY_FIRST, COMPANY_BACKLOG = 100_000, 10_000
"""Events before anything is measured, and behind them. The first are a week: until no complaint
makes transactions honest, one lesson may teach dozens of examples (:mod:`models.standins`), and
the risk learner begins again at each doubling of its first 4,096.
"""
FIRST_PATIENCE_S = 600.0
QUIET_S = 3.0
DRAIN_S = 15.0
HALF_LOAD_S = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run at one rate.

    Args:
        p50_ms: Half of the events waited no longer.
        p99_ms: Of a hundred events one waited longer.
        cpu_percent: Of one core, what the engine used meanwhile.
    """

    p50_ms: float
    p99_ms: float
    cpu_percent: float


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which a share of the values lies (nearest rank).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, int(rank) - 1)]


def measure_latency(ground: Ground) -> dict[str, Any]:
    """Give ``latency`` and ``latency_half_load`` of the real desk, and of the fixed job."""
    chosen = ground.asked.engines
    found: dict[str, Any] = real_desk(ground)
    found["latency"]["fixed_job"] = fixed_job(ground, DESK)
    peers = {
        engine.name: {"latency": fixed_job(ground, engine)}
        for engine in PEERS
        if engine.is_there(ground.asked.peers_python) and (not chosen or engine.name in chosen)
    }
    return found | {"peers": peers}


def fixed_job(ground: Ground, engine: Engine) -> dict[str, Any]:
    """Give the latency of the fixed job on an engine."""
    runs: list[Run] = []
    for _ in range(ground.asked.repeats):
        ground.renew()
        ground.publish(backlog(WARM_UP_EVENTS))
        process, output = start(ground, engine)
        with process:
            until(lambda output=output: ground.count(output) >= WARM_UP_EVENTS)  # type: ignore[misc]
            time.sleep(QUIET_S)
            runs.append(
                paced(
                    ground,
                    process,
                    output,
                    "fixed_job",
                    ground.asked.rate_per_s,
                    ground.asked.latency_s,
                    WARM_UP_EVENTS,
                )
            )
    ground.tell(f"latency, {engine.name}: {_line(runs)}")
    return _medians(runs)


def real_desk(ground: Ground) -> dict[str, Any]:
    """Give the latency of the real desk at the fixed rate and at half of what it can do.

    What it can do is measured on a backlog behind the company's first week.
    """
    rate, seconds = ground.asked.rate_per_s, ground.asked.latency_s
    steady: list[Run] = []
    half: list[Run] = []
    tops: list[float] = []
    for _ in range(ground.asked.repeats):
        load = Load(ground, COMPANY_FIRST)
        with load.running() as desk:
            until(lambda load=load: load.decided() >= COMPANY_FIRST, FIRST_PATIENCE_S)  # type: ignore[misc]
            _rest(ground)
            top = _maximum(load, desk)
            tops.append(top.events_per_s)
            _rest(ground)
            first = load.published
            steady.append(paced(ground, desk, JOURNAL.name, "company", rate, seconds, first))
            first += int(rate * seconds)
            half_rate = top.events_per_s / 2
            half.append(paced(ground, desk, JOURNAL.name, "company", half_rate, HALF_LOAD_S, first))
    ground.tell(f"latency, real desk: {_line(steady)}; at half load {_line(half)}")
    return {
        "latency": _medians(steady) | {"rate_per_s": rate},
        "latency_half_load": _medians(half) | {"max_events_per_s": Spread.over(tops).as_json()},
    }


def _maximum(load: Load, desk: EngineProcess) -> Slope:
    before = load.decided()
    load.publish(COMPANY_BACKLOG)
    return measure([desk], lambda: load.decided() - before, COMPANY_BACKLOG)[0]


def _rest(ground: Ground) -> None:
    quiet(lambda: ground.ends(JOURNAL.name))
    time.sleep(QUIET_S)  # lessons are still being folded


def paced(
    ground: Ground,
    engine: EngineProcess,
    output: str,
    what: str,
    rate_per_s: float,
    seconds: float,
    first: int,
) -> Run:
    """Publish at a rate and give what passed until the answers, and the engine's CPU.

    Args:
        ground: Where.
        engine: Running, with nothing left to do.
        output: The topic of its answers.
        what: Which events (:mod:`streams.bench.engines.upstream`).
        rate_per_s: Events a second.
        seconds: How long.
        first: Number of the first event.
    """
    inputs = {topic.name: ground.ends(topic.name) for topic in INPUTS}
    outputs = ground.ends(output)
    count = int(rate_per_s * seconds)
    arguments = [what, str(rate_per_s), str(count), str(first)]
    settings = ground.settings_for(ground.name("upstream"))
    with EngineProcess("upstream", settings, arguments) as upstream:
        until(lambda: ground.ends(output) != outputs)
        began = Instant.of(engine.pid, 0)
        upstream.wait(seconds + DRAIN_S)
        ended = Instant.of(engine.pid, 0)
    quiet(lambda: ground.ends(output))
    published = {
        decode_json(entry.value)["event_id"]: entry.appended_ms  # CreateTime: when published
        for topic, ends in inputs.items()
        for entry in _entries(ground, topic, ends)
    }
    answered = {
        name: entry.appended_ms
        for entry in _entries(ground, output, outputs)
        if (name := decode_json(entry.value).get("event_id")) in published
    }
    if len(answered) < count * 0.99:
        raise UnavailableError(f"{count} events were published, {len(answered)} were answered")
    waits_ms = warm_waits_ms(published, answered, WARM_UP_SHARE * seconds)
    percent = slope(began, ended).cpu_percent
    return Run(percentile(waits_ms, 0.5), percentile(waits_ms, 0.99), percent)


def warm_waits_ms(
    published: Mapping[str, int], answered: Mapping[str, int], warm_up_s: float
) -> list[float]:
    """Give how long those waited that were published behind the warm-up.

    Args:
        published: Moment of each event, ms.
        answered: Moment of each answer, ms.
        warm_up_s: From the first event on.

    >>> warm_waits_ms({"a": 0, "b": 1_999, "c": 2_000}, {"a": 500, "b": 2_400, "c": 2_003}, 2.0)
    [3.0]
    """
    warm_ms = min(published.values()) + warm_up_s * 1000
    return [
        float(answered_ms - published[name])
        for name, answered_ms in answered.items()
        if published[name] >= warm_ms
    ]


def until(done: Callable[[], bool], patience_s: float = START_PATIENCE_S) -> None:
    """Wait for something, for a while.

    Raises:
        UnavailableError: it does not come.
    """
    deadline = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > deadline:
            raise UnavailableError("the engine does not answer what was published")
        time.sleep(0.1)


def quiet(look: Callable[[], object]) -> None:
    """Wait until something has not changed for a second."""
    last, since = look(), time.monotonic()
    while time.monotonic() - since < 1.0:
        time.sleep(0.1)
        if (now := look()) != last:
            last, since = now, time.monotonic()


def _entries(ground: Ground, topic: str, starts: Sequence[int]) -> Iterator[Entry]:
    consumer = make_consumer(ground.settings.kafka, "bench-reader")
    for number, (start_at, end) in enumerate(zip(starts, ground.ends(topic), strict=True)):
        yield from read(consumer, topic, number, start_at, end)
    consumer.close()


def _medians(runs: Sequence[Run]) -> dict[str, Any]:
    spreads = {
        "p50_ms": Spread.over(run.p50_ms for run in runs),
        "p99_ms": Spread.over(run.p99_ms for run in runs),
        "cpu_percent": Spread.over(run.cpu_percent for run in runs),
    }
    return in_medians({name: each.as_json() for name, each in spreads.items()})


def _line(runs: Sequence[Run]) -> str:
    found = _medians(runs)
    return f"p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms, CPU {found['cpu_percent']} %"
