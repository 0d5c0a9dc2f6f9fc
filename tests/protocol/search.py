"""Explicit-state search: every state that a model can reach, breadth first, each looked at once.

The first violation found is one of the shortest: its trace is the counter-example. Liveness is
checked with it: from each state a fair completion (nobody fails any more) must settle.

    python -m tests.protocol.search --size large
"""

import argparse
import time
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


class Model(Protocol[S]):
    """What the search needs to know of a protocol."""

    def initial(self) -> S:
        """Where everything begins."""

    def successors(self, state: S) -> Iterable[tuple[str, S]]:
        """All that can happen next, faults included."""

    def violation(self, state: S) -> str | None:
        """What is broken in this state."""

    def completion(self, state: S) -> tuple[str, S] | None:
        """What happens next where nobody fails any more; ``None`` once all is quiet."""

    def unsettled(self, state: S) -> str | None:
        """What is missing in a quiet state."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A counter-example: what is broken, and the shortest way there."""

    what: str
    trace: tuple[str, ...]

    def __str__(self) -> str:
        steps = "\n".join(f"  {n:2}. {label}" for n, label in enumerate(self.trace, 1))
        return f"{self.what}, after {len(self.trace)} steps:\n{steps}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a search has seen."""

    state_count: int
    step_count: int
    depth: int
    cpu_s: float
    violation: Violation | None


class Search(Generic[S]):
    """One search through one model."""

    def __init__(self, model: Model[S]) -> None:
        self._model = model
        self._came_from: dict[S, tuple[S, str] | None] = {}
        self._settling: set[S] = set()

    def run(self) -> Report:
        started_cpu_s = time.process_time()
        model, came_from = self._model, self._came_from
        first = model.initial()
        came_from[first] = None
        waiting, step_count, depth = deque([(first, 0)]), 0, 0
        found: Violation | None = None
        while waiting and found is None:
            state, depth = waiting.popleft()
            found = self._completed(state)
            for label, after in model.successors(state):
                step_count += 1
                if after not in came_from:
                    came_from[after] = (state, label)
                    waiting.append((after, depth + 1))
        cpu_s = time.process_time() - started_cpu_s
        return Report(len(came_from), step_count, depth, cpu_s, found)

    def _completed(self, state: S) -> Violation | None:
        """Follow the fair completion until it is known to settle."""
        path: list[str] = []
        seen: set[S] = set()
        at = state
        while at not in self._settling:
            if at in seen:
                path.append("… and so on without end")
                return Violation("no completion settles", self._trace(state) + tuple(path))
            seen.add(at)
            what = self._model.violation(at)
            if what is not None:
                return Violation(what, self._trace(state) + tuple(path))
            step = self._model.completion(at)
            if step is None:
                what = self._model.unsettled(at)
                if what is not None:
                    return Violation(what, self._trace(state) + tuple(path))
                break
            path.append(f"(completion) {step[0]}")
            at = step[1]
        self._settling |= seen
        return None

    def _trace(self, state: S) -> tuple[str, ...]:
        labels: list[str] = []
        before = self._came_from[state]
        while before is not None:
            labels.append(before[1])
            before = self._came_from[before[0]]
        return tuple(reversed(labels))


def search(model: Model[S]) -> Report:
    """Search a model to the end, or to its first violation."""
    return Search(model).run()


def main() -> None:
    """Search all models at one size and print what was seen."""
    from tests.protocol.sizes import SIZES  # the models import nothing from here

    parser = argparse.ArgumentParser(description="search the models of the delivery protocol")
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    for name, model in SIZES[parser.parse_args().size].items():
        report = search(model)
        print(
            f"{name}: {report.state_count:,} states, {report.step_count:,} steps, "
            f"depth {report.depth}, {report.cpu_s:.1f} s of CPU: "
            f"{report.violation or 'no violation'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
