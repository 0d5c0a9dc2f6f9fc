"""The main job on the embedded stack, from first event to last row, with everything counted."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any

from streams.demo.audit import Audit
from streams.demo.counting import count
from streams.demo.feed import Feed
from streams.demo.measures import latency, ticket_quality, transaction_quality
from streams.demo.screen import Screen
from streams.demo.subscriber import Subscriber
from streams.role import now_ms
from streams.simulator.analyst import Analyst
from streams.simulator.clerk import Clerk
from streams.simulator.company import company
from streams.simulator.files import files
from streams.simulator.pacing import Addenda, merged, publish
from streams.simulator.schedule import Scheduled, Truth
from streams.stack.barrier import Barrier
from streams.stack.stack import Stack

DAY_MS = 86_400_000
SIMULATED_START_MS = 1_772_409_600_000  # Monday 2026-03-02
PACED_EVENTS = 2_000
PACED_PER_S = 200.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to stream.

    Args:
        events: Of the simulated company; ``None`` where files are streamed.
        seed: Draws everything that is drawn.
        tickets: A file of texts with labels.
        transactions: A file of transactions with truth.
        start: First day of the files.
        days: Days of the files.
    """

    events: int | None
    seed: int
    tickets: Path | None = None
    transactions: Path | None = None
    start: date | None = None
    days: int = 1

    def schedule(self, truth: Truth) -> Iterator[Scheduled]:
        """Give the events; ``truth`` fills while they are taken."""
        if self.start is not None:
            return files(
                self.tickets, self.transactions, self.start, self.days, self.seed, truth=truth
            )
        return company(self.seed, self.events or 0, SIMULATED_START_MS, truth=truth)


def run(plan: Plan, stack: Stack, screen: Screen) -> dict[str, Any]:
    """Stream the plan through a running stack and give what the command reports."""
    settings, truth = stack.settings, Truth()
    partition_count = settings.topics.partitions
    feed = Feed(settings.kafka)
    audit = Audit(settings, partition_count)
    subscriber = Subscriber(settings, partition_count)
    barrier = Barrier(stack.settings.kafka, lambda: stack.roles, audit.consumer, stack.tend)
    simulated = plan.start is None
    analyst, clerk = Analyst(truth, plan.seed), Clerk(truth, plan.seed)
    addenda = Addenda()
    day = -1

    def fold() -> Mapping[int, int]:
        feed.flush()
        journal = barrier.folded(feed.ends)
        fresh = subscriber.catch_up()
        answers = [
            *(analyst.review(alert) for alert in fresh.alerts),
            *(clerk.answer(question) for question in fresh.questions),
        ]
        for answer in answers if simulated else ():
            if answer is not None:
                addenda.add(answer)
        return journal

    def pause() -> None:
        nonlocal day
        journal = fold()
        if day < 0 or screen.at_ms // DAY_MS > day:
            shown, day = day >= 0, screen.at_ms // DAY_MS
            if not shown:
                return
            audit.catch_up(journal)
            screen.day_passed(audit.seen, truth, subscriber)

    try:
        schedule = merged(plan.schedule(truth), addenda)
        paced, quick = _split(schedule, plan)
        started_s = time.monotonic()
        quick_count = publish(quick, feed.send, barrier=pause, on_progress=screen.progressed)
        quick_s = time.monotonic() - started_s
        paced_since_ms = now_ms()
        screen.phase(f"Paced: {PACED_PER_S:.0f} events a second, to measure the latency")
        publish(
            paced, feed.send, per_s=PACED_PER_S, barrier_every_ms=None,
            on_progress=screen.progressed,
        )  # fmt: skip
        journal = fold()
        audit.catch_up(journal)
        screen.phase("Waiting until ClickHouse has everything")
        barrier.archived(journal)
        screen.phase("Counting by id")
        report = count(settings, partition_count, feed, audit.seen)
        report["tickets"] = ticket_quality(audit.seen, truth)
        report["transactions"] = transaction_quality(audit.seen, truth)
        report["latency_ms"] = latency(audit.seen, paced_since_ms)
        report["events_per_s"] = round(quick_count / quick_s, 1) if quick_s else None
        report["roles_restarted"] = stack.restarted
        return report
    finally:
        audit.close()
        subscriber.close()


def _split(
    schedule: Iterator[Scheduled], plan: Plan
) -> tuple[Iterable[Scheduled], Iterable[Scheduled]]:
    """Give the paced end and the quick beginning of a schedule; take the beginning first."""
    if plan.events is not None:
        quick_count = max(plan.events - PACED_EVENTS, plan.events // 2)
        return schedule, islice(schedule, quick_count)
    held: deque[Scheduled] = deque()

    def beginning() -> Iterator[Scheduled]:
        for event in schedule:
            held.append(event)
            if len(held) > PACED_EVENTS:
                yield held.popleft()

    def end() -> Iterator[Scheduled]:
        yield from chain(held)

    return end(), beginning()
