"""What the simulator gives: encoded events in the order of their event time, and the truth."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import encode


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One event ready to be published.

    Args:
        at_ms: The event time at which it is published, milliseconds since the epoch.
        topic: The input topic's name.
        key: The Kafka key, ``customer_id``.
        value: The encoded JSON event.
    """

    at_ms: int
    topic: str
    key: str
    value: bytes


def scheduled(at_ms: int, topic: str, event: dict[str, Any]) -> Scheduled:
    """Encode an event (plain JSON types, with ``customer_id``) for publishing at ``at_ms``."""
    return Scheduled(at_ms, topic, event["customer_id"], encode(event))


@dataclass(slots=True)
class Truth:
    """What really happened, for evaluation only; filled while a schedule is iterated.

    Args:
        transactions: transaction_id to whether it was fraud.
        tickets: ticket_id to its true category.
        urgencies: ticket_id to its true urgency, where one is known.
        moods: ticket_id to its customer's true mood, where one is known.
        typologies: transaction_id of a fraud to its kind.
    """

    transactions: dict[str, bool] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)
    urgencies: dict[str, str] = field(default_factory=dict)
    moods: dict[str, str] = field(default_factory=dict)
    typologies: dict[str, str] = field(default_factory=dict)


Action = Callable[[int], None]
"""Something that happens at a time (milliseconds) and may plan more."""


class Agenda:
    """The future: events to publish and actions to take, in order of time, then of planning."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Scheduled | Action]] = []
        self._planned = 0

    def __len__(self) -> int:
        return len(self._heap)

    def plan(self, at_ms: int, what: Scheduled | Action) -> None:
        """Plan an event or an action for ``at_ms``."""
        heapq.heappush(self._heap, (at_ms, self._planned, what))
        self._planned += 1

    def publish(self, at_ms: int, topic: str, event: dict[str, Any]) -> None:
        """Plan the publishing of an event."""
        self.plan(at_ms, scheduled(at_ms, topic, event))

    def run(self) -> Iterator[Scheduled]:
        """Take what is planned in order, until nothing is left; actions may plan more."""
        while self._heap:
            at_ms, _, what = heapq.heappop(self._heap)
            if isinstance(what, Scheduled):
                yield what
            else:
                what(at_ms)
