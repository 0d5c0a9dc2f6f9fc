"""Signals that something has changed: River's ADWIN and Page-Hinkley on losses and inputs.

Signals are hints for people. Nothing but the verdicts changes a decision.
"""

from collections import deque
from typing import Any, NamedTuple

from river.drift import ADWIN, PageHinkley

KEPT = 32
"""Signals that are kept for the next report."""

_SLOW, _FAST = 1_000.0, 50.0
"""How many values the means before and after a change rest on."""
_CONFIDENCE = 1e-4
"""ADWIN's delta: about how often it may be wrong."""
_ALLOWED = 0.05
_THRESHOLD = 20.0
"""Page-Hinkley: so much beyond the allowed change, summed up, is a change of a value in [0, 1]."""


class Signal(NamedTuple):
    """A change that was noticed.

    Args:
        number: 1, 2, 3, … over all signals of the learners.
        learner: Whose loss or input it is.
        what: The value's name and the detector's.
        after: Mean of about the last 50 values.
        before: Mean of about the last 1,000.
        known_ms: `known_at` of the lesson at which it was noticed.
    """

    number: int
    learner: str
    what: str
    after: float
    before: float
    known_ms: int


class Watch:
    """Watches one value in [0, 1].

    Args:
        slow: Also sum up small differences (Page-Hinkley).
    """

    __slots__ = ("adwin", "after", "before", "count", "page_hinkley")

    def __init__(self, slow: bool) -> None:
        self.count = 0
        self.before = self.after = 0.0
        self.adwin: Any = ADWIN(delta=_CONFIDENCE)  # type: ignore[no-untyped-call]
        # River's default of alpha fades the sums, which brings an alarm by and by in any case.
        self.page_hinkley: Any = (
            PageHinkley(delta=_ALLOWED, threshold=_THRESHOLD, alpha=1.0) if slow else None
        )

    def update(self, value: float) -> tuple[str, ...]:
        """Take in the next value and give the detectors that noticed a change with it."""
        self.count += 1
        found: tuple[str, ...] = ()
        self.adwin.update(value)
        if self.adwin.drift_detected:
            found = ("adwin",)
        if self.page_hinkley is not None:
            self.page_hinkley.update(value)
            if self.page_hinkley.drift_detected:
                found = (*found, "page_hinkley")
        self.before += (value - self.before) / min(self.count, _SLOW)
        self.after += (value - self.after) / min(self.count, _FAST)
        return found

    def content(self) -> list[object]:
        """Give everything, in a fixed order."""
        slow, inside = self.page_hinkley, self.adwin
        return [
            self.count,
            self.before,
            self.after,
            inside._helper.__getstate__(),
            inside.drift_detected,
            None
            if slow is None
            else [
                slow._x_mean.n,
                slow._x_mean.get(),
                slow._sum_increase,
                slow._sum_decrease,
                slow._min_increase,
                slow._max_decrease,
                slow.drift_detected,
            ],
        ]


class DriftWatch:
    """Watches all losses and inputs, by learner and name."""

    def __init__(self) -> None:
        self.signal_count = 0
        self.signals: deque[Signal] = deque(maxlen=KEPT)
        self._watches: dict[tuple[str, str], Watch] = {}

    def observe(
        self, learner: str, name: str, value: float, known_ms: int, slow: bool = False
    ) -> None:
        """Take in the next value in [0, 1] and remember what was noticed."""
        watch = self._watches.get((learner, name))
        if watch is None:
            watch = self._watches[learner, name] = Watch(slow)
        for detector in watch.update(value):
            self.signal_count += 1
            self.signals.append(
                Signal(
                    self.signal_count,
                    learner,
                    f"{name}/{detector}",
                    watch.after,
                    watch.before,
                    known_ms,
                )
            )

    def content(self) -> list[object]:
        """Give everything that decides its future, in a fixed order."""
        return [
            self.signal_count,
            [list(signal) for signal in self.signals],
            [[*key, *watch.content()] for key, watch in self._watches.items()],
        ]
