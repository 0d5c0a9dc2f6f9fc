"""Watches how far the roles are, and how long they take to go on after a fault."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import UnavailableError
from schemas.registry import JOURNAL
from streams.stack.role_process import RoleProcess

LOOK_EVERY_S = 0.25
PATIENCE_S = 1.0

Place = tuple[str, int]
"""Topic and partition."""

Positions = dict[Place, int]
"""Next offset by place."""


@dataclass(slots=True)
class Recovery:
    """The way back after one fault.

    Args:
        name: Of the fault.
        number: Of the strike.
        ended_s: When the fault was over (monotonic).
        waiting: By role, where each place stood then, and where its log ended; a place goes as
            soon as it has moved on, or had nothing to do.
        behind: By role, the places that have not yet reached where the log ended then.
        moved_s: Seconds until every place of every struck role had moved on.
        caught_up_s: Seconds until all that stood on the logs then had been dealt with: the time
            to recover.
    """

    name: str
    number: int
    ended_s: float
    waiting: dict[str, dict[Place, tuple[int, int]]]
    behind: dict[str, dict[Place, tuple[int, int]]] = field(default_factory=dict)
    moved_s: float | None = None
    caught_up_s: float | None = None

    def look(self, positions: dict[str, Positions], now_s: float) -> None:
        """Take notice of new positions."""
        for role, places in self.waiting.items():
            _drop(places, positions[role], lambda mark, end, at: at > mark or at >= end)
        for role, places in self.behind.items():
            _drop(places, positions[role], lambda mark, end, at: at >= end)
        if self.moved_s is None and not any(self.waiting.values()):
            self.moved_s = now_s - self.ended_s
        if self.caught_up_s is None and not any(self.behind.values()):
            self.caught_up_s = now_s - self.ended_s


class Observer:
    """Asks every role for its positions, several times a second.

    Args:
        processes: Gives the roles that can be asked now.
        input_ends: Gives the end of each input as far as it was acknowledged.
        recovered: Told of each recovery that is complete.
    """

    def __init__(
        self,
        processes: Callable[[], Sequence[RoleProcess]],
        input_ends: Callable[[], Positions],
        recovered: Callable[[Recovery], None] = lambda recovery: None,
    ) -> None:
        self.positions: dict[str, Positions] = {"desk": {}, "publisher": {}, "archiver": {}}
        self.recoveries: list[Recovery] = []
        self._processes = processes
        self._input_ends = input_ends
        self._recovered = recovered
        self._journal_ends: Positions = {}
        self._open: list[Recovery] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def __enter__(self) -> "Observer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def decided_count(self) -> int:
        """Give how many input records the desks have decided, as far as they were asked."""
        return sum(self.positions["desk"].values())

    @property
    def open_count(self) -> int:
        """Faults that are over and not yet recovered from."""
        return len(self._open)

    def begin(self, name: str, roles: Sequence[str], number: int) -> Recovery:
        """Begin to time a recovery: the fault is over now."""
        with self._lock:
            ends = {"desk": self._input_ends(), "publisher": self._journal_ends.copy()}
            ends["archiver"] = ends["publisher"]
            marks = {
                role: {
                    place: (self.positions[role].get(place, 0), end)
                    for place, end in ends[role].items()
                }
                for role in roles
            }
            recovery = Recovery(
                name,
                number,
                time.monotonic(),
                waiting={role: dict(places) for role, places in marks.items()},
                behind=marks,
            )
            self.recoveries.append(recovery)
            self._open.append(recovery)
            return recovery

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            for each in self._processes():
                try:
                    status = each.status(PATIENCE_S)
                except UnavailableError:
                    continue
                with self._lock:
                    self._take(each.role, status)
            with self._lock:
                now_s = time.monotonic()
                for recovery in self._open:
                    recovery.look(self.positions, now_s)
                    if recovery.caught_up_s is not None:
                        self._recovered(recovery)
                self._open = [each for each in self._open if each.caught_up_s is None]

    def _take(self, role: str, status: dict[str, Any]) -> None:
        positions = self.positions[role]
        if role == "archiver":
            for name, at in status["positions"].items():
                topic, _, number = name.rpartition("/")
                _forward(positions, (topic, int(number)), at)
            return
        for number, partition in status["partitions"].items():
            place = (JOURNAL.name, int(number))
            if role == "publisher":
                _forward(positions, place, partition["journal_next"])
                continue
            _forward(self._journal_ends, place, partition["journal_next"])
            for topic, at in partition["sources"].items():
                _forward(positions, (topic, int(number)), at)


def _forward(positions: Positions, place: Place, at: int) -> None:
    positions[place] = max(positions.get(place, 0), at)


def _drop(
    places: dict[Place, tuple[int, int]],
    positions: Positions,
    gone: Callable[[int, int, int], bool],
) -> None:
    for place, (mark, end) in list(places.items()):
        if gone(mark, end, positions.get(place, 0)):
            del places[place]
