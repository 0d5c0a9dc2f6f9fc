"""An engine as a process of its own, and the steepness of what it does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from schemas.errors import UnavailableError
from streams.bench.measuring import Instant, Slope, slope
from streams.settings import Settings
from streams.stack.role_process import environment

START_PATIENCE_S = 60.0
STOP_PATIENCE_S = 15.0
LOOK_EVERY_S = 0.05


class EngineProcess:
    """Runs ``python -m MODULE ARGUMENTS``; it never outlives us.

    Args:
        module: Below ``streams.bench.engines`` where it has no dot.
        settings: Handed over as environment variables.
        arguments: Of the command line.
        python: The interpreter; our own where none is named.
    """

    def __init__(
        self,
        module: str,
        settings: Settings,
        arguments: Sequence[str] = (),
        *,
        python: str = sys.executable,
    ) -> None:
        self._module = module if "." in module else f"streams.bench.engines.{module}"
        self._settings = settings
        self._arguments = arguments
        self._python = python
        self._log: Path = settings.state_dir / "engine.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._settings.state_dir.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-m", self._module, *self._arguments],
                env={**os.environ, **environment(self._settings)},
                stdin=subprocess.PIPE,  # closes when we end
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us, and we stop it
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        process = self._process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdin is not None
        process.stdin.close()

    @property
    def pid(self) -> int:
        """The process id.

        Raises:
            UnavailableError: it has ended; says its last words.
        """
        process = self._process
        if process is None or process.poll() is not None:
            words = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
            raise UnavailableError(f"{self._module} has ended:\n{words}")
        return process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal.

        Raises:
            UnavailableError: it has ended.
        """
        os.kill(self.pid, number)

    def wait(self, patience_s: float) -> None:
        """Wait until it ends by itself."""
        assert self._process is not None
        self._process.wait(patience_s)


class Running(Protocol):
    """A process that can be measured."""

    @property
    def pid(self) -> int:
        """The process id."""
        ...


@dataclass(frozen=True, slots=True)
class Other:
    """A process that somebody else started."""

    pid: int


def measure(
    engines: Sequence[Running],
    count: Callable[[], int],
    backlog: int,
    *,
    warm_up_share: float = 0.25,
    warm_up_s: float = 4.0,
    end_share: float = 0.95,
    window_s: float = 10.0,
) -> list[Slope]:
    """Give what engines do between two instants while they work a backlog off.

    The first instant comes when they have done a share of it, or a while after their first event
    where they are slow; the second at the end of the backlog, or after a while.

    Args:
        engines: Running; each gets the sum of events over its own CPU.
        count: Events that all of them have done together.
        backlog: Events that are there for them.
        warm_up_share: Of the backlog, before the first instant at the latest.
        warm_up_s: After the first event, before the first instant at the latest.
        end_share: Of the backlog, at which the second instant comes at the latest.
        window_s: Between the instants, at the most.

    Raises:
        UnavailableError: nothing happens, or an engine has ended.
    """
    warm_up(engines, count, backlog * warm_up_share, warm_up_s)
    first = _instants(engines, count())
    until = time.monotonic() + window_s
    while time.monotonic() < until and count() < backlog * end_share:
        time.sleep(LOOK_EVERY_S)
    second = _instants(engines, count())
    if second[0].events == first[0].events:
        raise UnavailableError("the engine has stopped, or the backlog was too small for it")
    return [slope(one, two) for one, two in zip(first, second, strict=True)]


def warm_up(
    engines: Sequence[Running], count: Callable[[], int], until_count: float, seconds: float
) -> float:
    """Wait until engines have done so many events, or so long after their first.

    Returns:
        Events a second since the first; 0 where that cannot be said.

    Raises:
        UnavailableError: nothing happens, or an engine has ended.
    """
    deadline = time.monotonic() + START_PATIENCE_S
    begun_at, begun_with, done = 0.0, 0, count()
    while done < until_count:
        _ = [engine.pid for engine in engines]  # or say why it ended
        now = time.monotonic()
        if not begun_at and done:
            begun_at, begun_with = now, done
        if not begun_at and now > deadline:
            raise UnavailableError("the engine does nothing")
        if begun_at and now - begun_at > seconds:
            break
        time.sleep(LOOK_EVERY_S)
        done = count()
    passed_s = time.monotonic() - begun_at if begun_at else 0.0
    return (done - begun_with) / passed_s if passed_s else 0.0


def _instants(engines: Sequence[Running], events: int) -> list[Instant]:
    return [Instant.of(engine.pid, events) for engine in engines]
