"""What a process has used, and how figures of several runs are told.

``cpu_s(pid)`` and ``rss_bytes(pid)`` read a running process; ``Instant.of(pid, events)`` and
``slope(first, second)`` give its events a second and CPU an event between two instants after
warm-up; ``Spread`` is the median of several runs with their range, and its JSON.

Linux only; no agent in the measured process, no dependency.
"""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

from schemas.errors import UnavailableError

_PROC = Path("/proc")
_CPU_CLOCK = 2
"""``CPUCLOCK_SCHED`` of the kernel's clock ids: user and system time of all threads, in ns."""


def cpu_s(pid: int, *, children: bool = False) -> float:
    """Give the user and system time of a process, in seconds; to the nanosecond.

    All its threads are in it, also those that have ended.

    Args:
        pid: Of a running process.
        children: Add its living descendants and those that it has waited for.

    Raises:
        UnavailableError: there is no such process.
    """
    try:
        own_s = time.clock_gettime((~pid << 3) | _CPU_CLOCK)  # what clock_getcpuclockid(3) gives
    except OSError as fault:
        raise UnavailableError(f"process {pid} has ended: {fault}") from fault
    if not children:
        return own_s
    waited_s = sum(_stat(pid)[15:17]) / os.sysconf("SC_CLK_TCK")
    return own_s + waited_s + sum(cpu_s(child, children=True) for child in _children(pid))


def rss_bytes(pid: int) -> int:
    """Give the resident memory of a process.

    Raises:
        UnavailableError: there is no such process.
    """
    return _stat(pid)[23] * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Spread:
    """The figures of several runs of one measure.

    Args:
        runs: In the order of the runs; at least one.
    """

    runs: tuple[float, ...]

    @classmethod
    def over(cls, runs: Iterable[float]) -> Self:
        """Make a spread of figures."""
        return cls(tuple(runs))

    @property
    def median(self) -> float:
        """The middle one; the mean of the middle two."""
        return median(self.runs)

    def as_json(self, digits: int = 2) -> dict[str, Any]:
        """Give median, min, max and the runs, rounded."""
        return {
            "median": round(self.median, digits),
            "min": round(min(self.runs), digits),
            "max": round(max(self.runs), digits),
            "runs": [round(run, digits) for run in self.runs],
        }


def in_medians(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Give each figure's median under its name, and all that :meth:`Spread.as_json` gave beside.

    >>> in_medians({"a_us": {"median": 2.0, "min": 1.0, "max": 4.0}})["a_us"]
    2.0
    """
    medians = {name: figure["median"] for name, figure in figures.items()}
    return medians | {"spread": dict(figures)}


@dataclass(frozen=True, slots=True)
class Instant:
    """How far a process was at one moment.

    Args:
        at_s: A clock that only grows.
        cpu_s: Used by the process so far.
        events: Done so far.
    """

    at_s: float
    cpu_s: float
    events: int

    @classmethod
    def of(cls, pid: int, events: int, *, children: bool = False) -> Self:
        """Read a process now; count its events just before the call.

        Raises:
            UnavailableError: there is no such process.
        """
        return cls(time.perf_counter(), cpu_s(pid, children=children), events)


@dataclass(frozen=True, slots=True)
class Slope:
    """What happened between two instants.

    Args:
        events: Done meanwhile.
        wall_s: Passed meanwhile, > 0.
        cpu_s: Used by the process meanwhile.
    """

    events: int
    wall_s: float
    cpu_s: float

    @property
    def events_per_s(self) -> float:
        """Throughput by the clock on the wall."""
        return self.events / self.wall_s

    @property
    def cpu_us_per_event(self) -> float:
        """CPU an event, in µs; infinite without an event."""
        return self.cpu_s / self.events * 1e6 if self.events else float("inf")

    @property
    def cpu_percent(self) -> float:
        """CPU as percent of one core."""
        return 100.0 * self.cpu_s / self.wall_s


def slope(first: Instant, second: Instant) -> Slope:
    """Give what happened between two instants; the second is later."""
    return Slope(second.events - first.events, second.at_s - first.at_s, second.cpu_s - first.cpu_s)


def _stat(pid: int) -> list[int]:
    """Give the numbers of ``/proc/PID/stat`` as proc(5) counts them, less one; 0 for words."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError as fault:
        raise UnavailableError(f"process {pid} has ended: {fault}") from fault
    fields = text.rpartition(")")[2].split()  # the name may hold anything
    return [0, 0, *(int(each) if each.lstrip("-").isdigit() else 0 for each in fields)]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            found += [int(each) for each in path.read_text().split()]
        except OSError:
            continue  # a thread that has ended meanwhile
    return found
