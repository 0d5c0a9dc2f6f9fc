"""Publishes a schedule in event-time order, no faster than wanted, waiting at every event-hour."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator

from streams.simulator.schedule import Scheduled

HOUR_MS = 3_600_000
PROGRESS_EVERY = 500

Send = Callable[[str, str, bytes], None]
"""Publishes topic, key, value; may block, must raise if it cannot."""

Progress = Callable[[int, int], None]
"""Told how many events were published and the event time reached, milliseconds."""


class Addenda:
    """Events that are caused while a schedule runs, e.g. an analyst's answers to alerts."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Scheduled]] = []
        self._added = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, event: Scheduled) -> None:
        """Add an event; one whose time has passed is published next."""
        heapq.heappush(self._heap, (event.at_ms, self._added, event))
        self._added += 1

    def due(self, until_ms: int | None) -> Iterator[Scheduled]:
        """Take what is due by ``until_ms`` (``None``: everything), in order of time."""
        while self._heap and (until_ms is None or self._heap[0][0] <= until_ms):
            yield heapq.heappop(self._heap)[2]


def merged(schedule: Iterable[Scheduled], addenda: Addenda) -> Iterator[Scheduled]:
    """Give a schedule with the addenda among it; those due after its end are left out.

    An event that is added while an item of the schedule is waiting to be sent comes right
    after that item at the earliest.
    """
    for event in schedule:
        yield from addenda.due(event.at_ms)
        yield event


def publish(
    schedule: Iterable[Scheduled],
    producer_send: Send,
    *,
    per_s: float | None = None,
    barrier_every_ms: int | None = HOUR_MS,
    barrier: Callable[[], None] = lambda: None,
    on_progress: Progress = lambda count, at_ms: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Publish a whole schedule and give the number of events.

    Args:
        schedule: Events in order of their event time.
        producer_send: Called once an event.
        per_s: At most so many events a second of wall time; ``None`` for no limit.
        barrier_every_ms: Event time between two calls of ``barrier``, on whole multiples since
            the epoch; ``None`` for none.
        barrier: Called before the first event of a new interval and after the last event;
            returns when decisions and lessons are folded.
        on_progress: Called every 500 events, after each barrier and at the end.
        clock: Seconds that only grow.
        sleep: Waits so many seconds.
    """
    count, at_ms = 0, 0
    interval: int | None = None
    started_s, barred_s = clock(), 0.0
    for event in schedule:
        if barrier_every_ms is not None:
            current = event.at_ms // barrier_every_ms
            if interval is not None and current > interval:
                before_s = clock()
                barrier()
                barred_s += clock() - before_s
                on_progress(count, at_ms)
            interval = current if interval is None else max(interval, current)
        if per_s is not None:
            early_s = started_s + barred_s + count / per_s - clock()
            if early_s > 0:
                sleep(early_s)
        producer_send(event.topic, event.key, event.value)
        count += 1
        at_ms = max(at_ms, event.at_ms)
        if count % PROGRESS_EVERY == 0:
            on_progress(count, at_ms)
    if barrier_every_ms is not None and count:
        barrier()
    on_progress(count, at_ms)
    return count
