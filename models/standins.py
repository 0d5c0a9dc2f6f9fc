"""Unlabelled lessons that stand in for the honest ones, until time has made some."""

from collections import deque
from collections.abc import Iterator, Mapping

from models.learners.digest import digest_content

WAITING = 2_000
"""Stand-ins that wait; of more, the oldest drop out."""


class Standins:
    """Unlabelled transactions, nearly all honest, for a risk learner that knows frauds only.

    That a transaction was no fraud becomes known by time alone, days later; that one was, after
    hours. Until the first honest one is known, unlabelled ones are learned in their place. Each
    waits until a fraud is known that happened after it: else the learner would find out that
    frauds are those transactions whose labels have come, and call everything recent honest.
    """

    def __init__(self) -> None:
        self._needed = True
        self._reached_ms = 0
        self._waiting: deque[tuple[int, dict[str, float]]] = deque()

    def add(self, features: Mapping[str, float], occurred_ms: int) -> None:
        """Let an unlabelled transaction wait, unless honest ones are known by now."""
        if self._needed:
            self._waiting.append((occurred_ms, dict(features)))
            if len(self._waiting) > WAITING:
                self._waiting.popleft()

    def fraud_known(self, occurred_ms: int) -> None:
        """Note that a fraud of that time is known."""
        self._reached_ms = max(self._reached_ms, occurred_ms)

    def honest_known(self) -> None:
        """Note that transactions are now honest by time: stand-ins are needed no more."""
        self._needed = False
        self._waiting.clear()

    def ready(self) -> Iterator[dict[str, float]]:
        """Take those that have waited long enough, in the order in which they came."""
        while self._waiting and self._waiting[0][0] <= self._reached_ms:
            yield self._waiting.popleft()[1]

    def digest(self) -> str:
        """Return the digest of everything that decides what is taken next."""
        waiting = [[occurred_ms, features] for occurred_ms, features in self._waiting]
        return digest_content("Standins", self._needed, self._reached_ms, waiting)
