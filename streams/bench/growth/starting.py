"""How long a desk takes to decide: from its start, and when another one has gone.

A start counts from the process's start to the append of its first decision; a takeover from the
signal to the append of the first decision by somebody else, in the slowest of the partitions that
the other one had. Times of the append are Kafka's.
"""

import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from schemas.errors import UnavailableError
from streams.bench.ground import Ground
from streams.bench.growth.service import (
    AFFLUENCE,
    Feed,
    Service,
    await_answer,
    await_decided,
    events_of,
)
from streams.bench.growth.watch import JournalWatch
from streams.bench.measuring import Spread, cpu_s
from streams.stack.role_process import RoleProcess

FILLED_EVENTS = 20_000
CUSTOMERS = 5_000
FIRST_EVENTS = 200
RATE_PER_S = 100.0
ROUNDS = 3
PATIENCE_S = 90.0
SETTLED_S = 2.0
"""So long both desks decide before one of them goes."""


def measure_starting(
    ground: Ground, *, rounds: int = ROUNDS, filled_events: int = FILLED_EVENTS
) -> dict[str, Any]:
    """Measure starts with an empty and a filled state, and takeovers, several times each.

    Args:
        ground: Where; at least two partitions.
        rounds: Of each.
        filled_events: Events that were decided before the starts with a filled state.
    """
    empty = [_empty(ground) for _ in range(rounds)]
    filled, lost = _filled(ground, rounds, filled_events)
    return {
        "empty": _start(empty),
        "filled": {"events": filled_events, **_start(filled)},
        "lost": {"events": filled_events, **_start(lost)},
        **_takeovers(ground, rounds),
        "session_timeout_s": ground.settings.kafka.session_timeout_ms / 1000,
        "partitions": ground.partitions,
    }


def _start(runs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    return {
        "first_decision_s": Spread.over(run[0] for run in runs).as_json(2),
        "cpu_s": Spread.over(run[1] for run in runs).as_json(2),
    }


def _empty(ground: Ground) -> tuple[float, float]:
    with Service(ground) as service:
        started = _started(service, service.add("desk"))
    ground.tell(f"start, empty: {started[0]:.2f} s")
    return started


def _filled(
    ground: Ground, rounds: int, count: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Start over what was decided: with the state it left, and with nothing of it on the disk."""
    filled: list[tuple[float, float]] = []
    lost: list[tuple[float, float]] = []
    with Service(ground) as service:
        desk, publisher = service.add("desk"), service.add("publisher")
        with Feed(service.kafka, events_of(count, CUSTOMERS)) as feed:
            sent = feed.finish()
        desk.start()
        publisher.start()
        await_answer(desk)
        await_decided([desk], sent)
        for number in range(rounds):
            for what, found in (("filled", filled), ("lost", lost)):
                desk.stop()
                if what == "lost":
                    shutil.rmtree(desk.settings.state_dir)
                found.append(_started(service, desk, seed=2 + len(filled) + rounds * len(lost)))
                ground.tell(f"start {number + 1}, {what}: {found[-1][0]:.2f} s")
    return filled, lost


def _started(service: Service, desk: RoleProcess, seed: int = 2) -> tuple[float, float]:
    """Start a desk that finds events; give the time until it has decided one, and its CPU."""
    with JournalWatch(service.kafka, service.partitions) as watch:
        with Feed(service.kafka, events_of(FIRST_EVENTS, CUSTOMERS, seed)) as feed:
            feed.finish()
        began_ms = time.time() * 1000
        desk.start()
        first_ms = watch.first_ms(int(began_ms), PATIENCE_S)
        used_s = cpu_s(desk.pid or 0)
        await_answer(desk)
    return (first_ms - began_ms) / 1000, used_s


def _takeovers(ground: Ground, rounds: int) -> dict[str, Any]:
    """Two desks; one of them goes, the other takes over, and it comes back."""
    ends: dict[str, Callable[[RoleProcess], None]] = {
        "sigterm": lambda desk: desk.signal(signal.SIGTERM),
        "sigkill": lambda desk: desk.kill(),
    }
    taken: dict[str, list[float]] = {name: [] for name in ends}
    others: dict[str, list[float]] = {name: [] for name in ends}
    joined: list[float] = []
    span_s = rounds * len(ends) * PATIENCE_S
    customers = round(AFFLUENCE * RATE_PER_S * span_s)
    with ExitStack() as running:
        service = running.enter_context(Service(ground))
        stays, goes = service.add("desk"), service.add("desk")
        watch = running.enter_context(JournalWatch(service.kafka, service.partitions))
        stays.start()
        await_answer(stays)
        events = events_of(int(RATE_PER_S * span_s), customers)
        running.enter_context(Feed(service.kafka, events, RATE_PER_S))
        watch.first_ms(0, PATIENCE_S)
        for _ in range(rounds):
            for name, end in ends.items():
                began_ms = time.time() * 1000
                goes.start()
                theirs = _share(goes)
                joined.append(_until_all(watch, theirs, began_ms))
                time.sleep(SETTLED_S)
                writers = {number: watch.writer(number) for number in theirs}
                struck_ms = time.time() * 1000
                end(goes)
                at_ms = [
                    watch.other_writer_ms(number, writer, PATIENCE_S)
                    for number, writer in writers.items()
                ]
                taken[name].append((max(at_ms) - struck_ms) / 1000)
                time.sleep(SETTLED_S)
                kept = set(range(service.partitions)) - theirs
                others[name].append(
                    max(watch.longest_pause_s(number, int(struck_ms) - 1_000) for number in kept)
                )
                ground.tell(f"{name}: taken over after {taken[name][-1]:.2f} s")
                goes.stop()
    return {
        "joined_s": Spread.over(joined).as_json(2),
        **{
            name: {
                "taken_over_s": Spread.over(taken[name]).as_json(2),
                "others_pause_s": Spread.over(others[name]).as_json(2),
            }
            for name in ends
        },
    }


def _share(desk: RoleProcess) -> set[int]:
    """Wait until a desk owns partitions, and give their numbers."""
    await_answer(desk)
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        owned = {int(number) for number in desk.status()["partitions"]}
        if owned:
            time.sleep(1.0)  # several are taken over one after the other
            return {int(number) for number in desk.status()["partitions"]}
        time.sleep(0.05)
    raise UnavailableError(f"{desk.name} was given no partition")


def _until_all(watch: JournalWatch, partitions: set[int], began_ms: float) -> float:
    """Give how long it took from a start until all the partitions had another writer, in s."""
    at_ms = []
    for number in partitions:
        seen = watch.seen(number)
        last = seen[-1].writer
        at_ms.append(next(each.appended_ms for each in seen if each.writer == last))
    return (max(at_ms) - began_ms) / 1000
