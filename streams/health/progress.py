"""When a role is stuck: behind, and nothing moves, and nobody else is to blame. Pure."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

ALONE = 5
"""A single partition may stand still for so many times the patience while others move: its
records may wait behind theirs."""
LONGEST_STEP_S = 10.0
"""More time between two samples was not ours: the process was stopped, or the machine slept."""


class Part(NamedTuple):
    """One partition, or whatever else makes progress of its own.

    Args:
        behind: Records not yet dealt with; ``None`` where that is not known (yet).
        mark: Changes with its progress.
    """

    behind: int | None
    mark: Hashable


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a role.

    Args:
        at_s: When, monotone.
        beats: For each thread something that changes while it makes turns.
        parts: What the role is responsible for.
        excuse: Who else is to blame for standing still, ``None`` if nobody.
    """

    at_s: float
    beats: Mapping[str, Hashable] = field(default_factory=dict)
    parts: Mapping[Hashable, Part] = field(default_factory=dict)
    excuse: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sample means.

    Args:
        stuck: Why the process must be started again, ``None`` while it need not.
        stalled_s: For how long nothing has moved although something should.
        silent_s: For how long each thread has made no turn.
    """

    stuck: str | None = None
    stalled_s: float = 0.0
    silent_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Still:
    """A part since its last progress."""

    since_s: float
    part: Part


class Progress:
    """Judges samples of one role, in order.

    Args:
        patience_s: How long nothing may move; longer than any wait that ends by itself.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._sampled_at_s: float | None = None
        self._awake_s = 0.0
        self._moved_at_s = 0.0
        self._beats: dict[str, tuple[float, Hashable]] = {}
        self._still: dict[Hashable, _Still] = {}

    def judge(self, sample: Sample) -> Verdict:
        """Give the verdict of this sample after those before it."""
        if self._sampled_at_s is not None:
            self._awake_s += min(sample.at_s - self._sampled_at_s, LONGEST_STEP_S)
        self._sampled_at_s = sample.at_s
        silent_s = self._listen(sample.beats)
        self._look(sample)
        stalled_s = self._awake_s - self._moved_at_s
        stuck = self._silence(silent_s) or self._standstill(sample, stalled_s)
        return Verdict(stuck, stalled_s, silent_s)

    def _listen(self, beats: Mapping[str, Hashable]) -> dict[str, float]:
        for name, beat in beats.items():
            if name not in self._beats or self._beats[name][1] != beat:
                self._beats[name] = (self._awake_s, beat)
        return {name: self._awake_s - self._beats[name][0] for name in beats}

    def _look(self, sample: Sample) -> None:
        """Note what has moved since the last sample."""
        moved = False
        still: dict[Hashable, _Still] = {}
        for key, part in sample.parts.items():
            before = self._still.get(key)
            if before is None or sample.excuse is not None or _moved(before.part, part):
                moved = True
                still[key] = _Still(self._awake_s, part)
            else:
                still[key] = before
                if part.behind == 0:
                    before.since_s = self._awake_s
        self._still = still
        if moved or all(part.behind == 0 for part in sample.parts.values()):
            self._moved_at_s = self._awake_s

    def _silence(self, silent_s: Mapping[str, float]) -> str | None:
        for name, time_s in silent_s.items():
            if time_s >= self._patience_s:
                return f"the {name} has made no turn for {time_s:.0f} s"
        return None

    def _standstill(self, sample: Sample, stalled_s: float) -> str | None:
        behind = {key: part for key, part in sample.parts.items() if part.behind != 0}
        if stalled_s >= self._patience_s:
            count = sum(part.behind or 0 for part in behind.values())
            return (
                f"{len(behind)} of {len(sample.parts)} partitions are behind, "
                f"{count} records in all, and nothing has moved for {stalled_s:.0f} s"
            )
        for key, part in behind.items():
            alone_s = self._awake_s - self._still[key].since_s
            if alone_s >= ALONE * self._patience_s:
                what = "in takeover" if part.behind is None else f"{part.behind} records behind"
                return f"partition {key} is {what} and has not moved for {alone_s:.0f} s"
        return None


def _moved(before: Part, now: Part) -> bool:
    """Tell whether there was progress: another mark, or less to do."""
    if now.mark != before.mark:
        return True
    if now.behind is None or before.behind is None:
        return now.behind is not before.behind
    return now.behind < before.behind
