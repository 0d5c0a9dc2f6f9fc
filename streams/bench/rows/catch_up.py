"""A role that was away reads what waits for it: how fast, and at what cost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import UnavailableError
from streams.bench.ground import Ground
from streams.bench.measuring import Instant, Slope, slope
from streams.settings import Settings
from streams.stack.role_process import RoleProcess

WARM_UP_SHARE = 0.2
END_SHARE = 0.95
"""The last part is not measured: what is left over is inserted when its time has come."""
LOOK_EVERY_S = 0.05
PATIENCE_S = 300.0
SESSION_MS = 6_000
HOUR_S = 3_600.0
EVENTS_PER_S = 300
"""The load while nobody read, for the time that an hour away takes to catch up."""

Done = Callable[[dict[str, Any]], int]
"""Counts what a role's status says to be done."""


def settings_for(ground: Ground, role: str) -> Settings:
    """Give settings for a worker whose membership ends soon after it, so that runs can follow."""
    settings = ground.settings_for(ground.name(role))
    kafka = settings.kafka.model_copy(update={"session_timeout_ms": SESSION_MS})
    return settings.model_copy(update={"kafka": kafka})


@contextmanager
def running(role: str, settings: Settings) -> Iterator[RoleProcess]:
    """Run a worker and stop it in the end."""
    log_path = settings.state_dir.with_name(f"{settings.worker}.log")
    process = RoleProcess(role, settings, log_path)
    process.start()
    try:
        yield process
    finally:
        process.stop()


def watch(process: RoleProcess, done: Done, total: int, count: Done) -> tuple[Slope, float]:
    """Wait until a worker has caught up; gives what it did after warm-up, and the whole time.

    Args:
        process: Has just been started.
        done: Counts the records behind it.
        total: So many wait.
        count: Counts what the slope is about.

    Raises:
        UnavailableError: it does not catch up; with its last words.
    """
    began_s = time.perf_counter()
    first: Instant | None = None
    last: Instant | None = None
    before = 0
    while True:
        time.sleep(LOOK_EVERY_S)
        if not process.alive or time.perf_counter() - began_s > PATIENCE_S:
            raise UnavailableError(f"{process.name} does not catch up: {process.last_words()}")
        try:
            status = process.status()
        except UnavailableError:
            continue
        share, counted, pid = done(status) / total, count(status), process.pid
        has_moved = counted != before  # it moves in steps: instants are taken just behind one
        before = counted
        if has_moved and pid is not None and WARM_UP_SHARE <= share <= END_SHARE:
            last = Instant.of(pid, counted)
            first = first or last
        if share >= 1.0:
            break
    if first is None or last is None or last.events <= first.events:
        raise UnavailableError("caught up before it could be watched: load more")
    return slope(first, last), time.perf_counter() - began_s


def forget_group(ground: Ground, group: str) -> None:
    """Let a group begin anew; waits until its last member's session is over.

    Raises:
        UnavailableError: it does not end.
    """
    admin = AdminClient({"bootstrap.servers": ground.settings.kafka.bootstrap})
    until_s = time.monotonic() + 5 * SESSION_MS / 1000
    while True:
        try:
            admin.delete_consumer_groups([group])[group].result()
        except KafkaException as fault:
            if "GROUP_ID_NOT_FOUND" in str(fault):
                return
            if time.monotonic() > until_s:
                raise UnavailableError(f"group {group} is not forgotten: {fault}") from fault
            time.sleep(0.5)
        else:
            return


def hour_away_s(records_per_s: float) -> float:
    """Give the time in which an hour's records at 300 a second are read, by arithmetic."""
    return HOUR_S * EVENTS_PER_S / records_per_s
