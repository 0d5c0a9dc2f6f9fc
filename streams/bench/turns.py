"""An engine and its floor in turns of a second, so that whatever else runs slows both alike.

Whoever's turn it is not is stopped with SIGSTOP: a stopped process uses no CPU, and a second is
well within the time after which a group gives a silent member up. The pump (it reads and writes as
many records a second as the engine) runs in the floor's turns: the broker is as busy in both.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from schemas.errors import UnavailableError
from streams.bench.engine_process import EngineProcess
from streams.bench.engines.floor import read_count
from streams.bench.ground import Ground
from streams.bench.measuring import Instant, Slope

TURN_S = 1.0
TURNS = 6
FLOOR_PATIENCE_S = 30.0


def in_turns(
    ground: Ground,
    engine: EngineProcess,
    floor: EngineProcess,
    counter: Path,
    count: Callable[[], int],
    until_count: int,
    per_s: float,
) -> tuple[Slope, Slope]:
    """Give what an engine and its floor did, each in its own turns.

    Args:
        ground: Where.
        engine: Running and warm.
        floor: A floor at rest (:func:`resting_floor`).
        counter: The file in which it counts.
        count: Events that it has done.
        until_count: No further turn once it has done so many.
        per_s: Events a second that it does, about; so many records does the pump read and write.

    Raises:
        UnavailableError: one of them has ended, or stands still.
    """
    name = ground.name("pump")
    output = ground.add_topic(name)
    settings = ground.settings_for(name)
    with ExitStack() as open_:
        pump = open_.enter_context(
            EngineProcess("pump", settings, [output, str(per_s), "fixed_job"])
        )
        open_.callback(let, [engine, floor, pump], [])  # a stopped process would not end
        let([engine], [floor, pump])
        first = Instant.of(engine.pid, count())
        alone_first = Instant.of(floor.pid, read_count(counter))
        engine_s = alone_s = 0.0
        for _ in range(TURNS):
            engine_s += _pass()
            let([floor, pump], [engine])
            alone_s += _pass()
            let([engine], [floor, pump])
            if count() >= until_count:
                break
        second = Instant.of(engine.pid, count())
        alone_second = Instant.of(floor.pid, read_count(counter))
    ground.drop_topic(output)
    done = Slope(second.events - first.events, engine_s, second.cpu_s - first.cpu_s)
    alone = Slope(
        alone_second.events - alone_first.events, alone_s, alone_second.cpu_s - alone_first.cpu_s
    )
    if not done.events or not alone.events:
        raise UnavailableError("the engine stands still, or the backlog was too small for it")
    return done, alone


def let(run: Sequence[EngineProcess], rest: Sequence[EngineProcess]) -> None:
    """Stop some processes and let others go on."""
    for each in rest:
        each.signal(signal.SIGSTOP)
    for each in run:
        each.signal(signal.SIGCONT)


def _pass() -> float:
    began_at = time.perf_counter()
    time.sleep(TURN_S)
    return time.perf_counter() - began_at


@contextmanager
def resting_floor(ground: Ground) -> Iterator[tuple[EngineProcess, Path]]:
    """Start a floor, let it get warm, stop it; gives it and the file in which it counts."""
    settings = ground.settings_for(ground.name("floor"))
    counter = settings.state_dir / "count"
    deadline = time.monotonic() + FLOOR_PATIENCE_S
    with EngineProcess("floor", settings, [str(counter)]) as floor:
        while not read_count(counter):
            _ = floor.pid  # or say why it ended
            if time.monotonic() > deadline:
                raise UnavailableError("the floor does nothing")
            time.sleep(0.05)
        floor.signal(signal.SIGSTOP)
        try:
            yield floor, counter
        finally:
            floor.signal(signal.SIGCONT)  # a stopped process would not end
