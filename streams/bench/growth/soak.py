"""Whether a desk gets slower or larger with its age: minutes of a steady mixed load.

The desk and the publisher are processes as in service, on a broker of their own; lessons flow.
What is measured is the desk's process. What a desk knows of a customer grows until it holds 32
days and 16 transactions: so the company's first forty days are worked off before. And machines
are slower at times: with each look the fixed job is timed as well, and the trend is that of the
desk's CPU over it.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import median
from typing import Any, NamedTuple

from schemas.errors import UnavailableError
from streams.bench.engines.floor import answers
from streams.bench.ground import Ground
from streams.bench.growth.service import (
    AFFLUENCE,
    Feed,
    Service,
    await_answer,
    await_decided,
    events_of,
)
from streams.bench.growth.trend import trend
from streams.bench.measuring import cpu_s, rss_bytes
from streams.stack.role_process import RoleProcess

RATE_PER_S = 300.0
CUSTOMERS = 1_500
PAST_DAYS = 40
EVERY_S = 10.0
WARM_UP_SHARE = 0.5
"""Of the time: caches fill, the first checkpoints are written."""
TOLERATED = 0.05
"""Growth an hour that still counts as none."""
HOUR_S = 3_600.0
SPARE = 1.1
REFERENCE_EVENTS = 2_000
PATIENCE_S = 1_200.0


class Look(NamedTuple):
    """What the desk had used at one moment."""

    at_s: float
    cpu_s: float
    rss_bytes: int
    decided_count: int
    lesson_count: int
    reference_us: float
    """CPU of one fixed job at that moment, in our own process."""


def measure_soak(
    ground: Ground,
    minutes: float,
    *,
    per_s: float = RATE_PER_S,
    customers: int = CUSTOMERS,
    past_days: int = PAST_DAYS,
    every_s: float = EVERY_S,
) -> dict[str, Any]:
    """Run a desk under load and give the trends of its CPU an event and its memory.

    Args:
        ground: Where.
        minutes: How long, after the company's first days were decided.
        per_s: Events a second.
        customers: The simulated company has about so many.
        past_days: The company's days before that.
        every_s: Between two looks.
    """
    past = int(past_days * customers / AFFLUENCE)
    events = events_of(past + int((minutes * 60 + 60) * per_s * SPARE), customers)
    with Service(ground) as service:
        desk, publisher = service.add("desk"), service.add("publisher")
        for worker in (desk, publisher):
            worker.start()
        for worker in (desk, publisher):
            await_answer(worker)
        with Feed(service.kafka, islice(events, past)) as feed:
            sent = feed.finish()
        await_decided([desk], sent, PATIENCE_S)
        with Feed(service.kafka, events, per_s) as feed:
            looks = _watch(desk, minutes * 60, every_s, ground.tell)
            behind = sent + feed.sent_count - looks[-1].decided_count
    return report(looks) | {
        "partitions": ground.partitions,
        "minutes": minutes,
        "asked_events_per_s": per_s,
        "customers": customers,
        "past_events": sent,
        "past_days": past_days,
        "behind_at_the_end": behind,
    }


def report(looks: Sequence[Look]) -> dict[str, Any]:
    """Give the trends after warm-up; at least five looks."""
    begin_s, end_s = looks[0].at_s, looks[-1].at_s
    warm_s = begin_s + WARM_UP_SHARE * (end_s - begin_s)
    kept = [look for look in looks if look.at_s >= warm_s]
    pairs = [
        (first, later)
        for first, later in itertools.pairwise(kept)
        if later.decided_count > first.decided_count
    ]
    cpu = trend(
        [later.at_s / HOUR_S for _, later in pairs],
        [_cpu_us(first, later) for first, later in pairs],
    )
    ratio = trend(
        [later.at_s / HOUR_S for _, later in pairs],
        [_cpu_us(first, later) / later.reference_us for first, later in pairs],
    )
    rss = trend([look.at_s / HOUR_S for look in kept], [look.rss_bytes / 1e6 for look in kept])
    return {
        "looks": [
            {
                "minute": round((later.at_s - begin_s) / 60, 2),
                "cpu_us": round(_cpu_us(first, later), 1),
                "reference_us": round(later.reference_us, 1),
                "rss_mb": round(later.rss_bytes / 1e6, 1),
            }
            for first, later in itertools.pairwise(looks)
            if later.decided_count > first.decided_count
        ],
        "warm_up_minutes": round((warm_s - begin_s) / 60, 2),
        "events_per_s": round(
            (looks[-1].decided_count - looks[0].decided_count) / (end_s - begin_s), 1
        ),
        "cpu_percent": round(
            100 * median((b.cpu_s - a.cpu_s) / (b.at_s - a.at_s) for a, b in pairs), 1
        ),
        "lessons": looks[-1].lesson_count - looks[0].lesson_count,
        "cpu_us": cpu.as_json(1),
        "cpu_over_fixed_job": ratio.as_json(2),
        "rss_mb": rss.as_json(1),
        "cpu_verdict": ratio.verdict(TOLERATED),
        "rss_verdict": rss.verdict(TOLERATED),
    }


def _cpu_us(first: Look, later: Look) -> float:
    return (later.cpu_s - first.cpu_s) / (later.decided_count - first.decided_count) * 1e6


def _watch(
    desk: RoleProcess, for_s: float, every_s: float, tell: Callable[[str], None]
) -> list[Look]:
    looks: list[Look] = []
    answer = answers()
    begin_s = time.monotonic()
    while not looks or looks[-1].at_s - begin_s < for_s:
        if looks:
            time.sleep(max(0.0, begin_s + len(looks) * every_s - time.monotonic()))
        looks.append(_look(desk, answer))
        tell(
            f"{(looks[-1].at_s - begin_s) / 60:5.1f} min  {looks[-1].decided_count:>9,} events  "
            f"{looks[-1].rss_bytes / 1e6:6.1f} MB"
        )
    return looks


def _look(desk: RoleProcess, answer: Callable[[int], None]) -> Look:
    pid = desk.pid
    if pid is None:
        raise UnavailableError(f"{desk.name} has ended:\n{desk.last_words()}")
    status = desk.status()
    decided = sum(sum(each["sources"].values()) for each in status["partitions"].values())
    now_s, used_s, resident = time.monotonic(), cpu_s(pid), rss_bytes(pid)
    began_s = time.thread_time()
    answer(REFERENCE_EVENTS)
    reference_us = (time.thread_time() - began_s) / REFERENCE_EVENTS * 1e6
    return Look(now_s, used_s, resident, decided, status["lessons_seen"], reference_us)
