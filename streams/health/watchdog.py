"""A thread that looks at its own process every second and ends it when it is stuck.

A thread, because the event loop may be what is stuck. Ending is abrupt: what hangs cannot be
stopped in order, and nothing depends on an orderly end.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from streams.health.ends import EndFinder
from streams.health.progress import Part, Progress, Sample, Verdict
from streams.health.stacks import describe_stacks
from streams.health.standing import Ends, Standing, lags, unready
from streams.intake.continuity import Place
from streams.intake.intake import Intake
from streams.settings import HealthSettings, KafkaSettings

log = structlog.get_logger(__name__)

STUCK = 4
"""Exit status of a process that its watchdog has ended."""
NOT_ASKED = Ends({}, "not asked yet")

End = Callable[[str, asyncio.AbstractEventLoop | None], None]
"""Told why the process must end, and of which loop."""


class Watched(Protocol):
    """What the watchdog needs of a role."""

    intake: Intake

    def standing(self) -> Standing:
        """Say how the role stands, in any thread."""
        ...


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the watchdog saw when it last looked.

    Args:
        ends: Where the topics end.
        lag: Records not yet dealt with, by place; ``None`` where that is not known.
        verdict: What it means.
        at_s: When, monotone.
    """

    ends: Ends = NOT_ASKED
    lag: dict[Place, int | None] = field(default_factory=dict)
    verdict: Verdict = Verdict()  # noqa: RUF009  # frozen
    at_s: float = 0.0


class Watchdog:
    """Judges a role's progress.

    Args:
        watched: The role.
        kafka: The broker, asked for the topics' ends.
        health: How often and how patiently.
        end: Ends the process.
    """

    def __init__(
        self, watched: Watched, kafka: KafkaSettings, health: HealthSettings, end: End
    ) -> None:
        self.outlook = Outlook(at_s=time.monotonic())
        self._watched = watched
        self._finder = EndFinder(kafka)
        self._patience_s = health.stuck_after_ms / 1000
        self._look_every_s = health.look_every_ms / 1000
        self._end = end
        self._progress = Progress(self._patience_s)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._echo_count = 0

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look, to the end of the process: a shutdown can hang too."""
        self._loop = loop
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def lifeless(self) -> str | None:
        """Say why the process had better end, ``None`` if it need not."""
        unseen_s = time.monotonic() - self.outlook.at_s
        if unseen_s >= self._patience_s:
            return f"the watchdog has not looked for {unseen_s:.0f} s"
        return self.outlook.verdict.stuck

    def unready(self) -> str | None:
        """Say why the role is not ready, ``None`` if it is; call it in the loop."""
        return self.lifeless() or unready(
            self._watched.intake.sight, self._watched.standing(), self.outlook.ends
        )

    def look(self) -> None:
        """Take one sample, judge it, and end the process if it is stuck."""
        sight, standing = self._watched.intake.sight, self._watched.standing()
        ends = self._finder.ask(sight.assigned | standing.followed)
        sight, standing = self._watched.intake.sight, self._watched.standing()
        lag = lags(sight, standing, ends)
        excuse = ends.fault or standing.waiting.reason(within_s=self._patience_s)
        beats = {"event loop": self._echo_count, "intake": sight.turn_count}
        at_s = time.monotonic()
        verdict = self._progress.judge(Sample(at_s, beats, _parts(lag, standing), excuse))
        self.outlook = Outlook(ends, lag, verdict, at_s)
        self._ask_echo()  # heard at the next look
        if verdict.stuck is not None:
            self._end(verdict.stuck, self._loop)

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception as fault:  # e.g. the role was changing what it says; look again
                log.exception("watchdog_failed", error=repr(fault))
            time.sleep(self._look_every_s)

    def _ask_echo(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # closed: the process is ending, which may hang too
                self._loop.call_soon_threadsafe(self._echo)

    def _echo(self) -> None:
        self._echo_count += 1


def _parts(lag: dict[Place, int | None], standing: Standing) -> dict[Hashable, Part]:
    """Join the topics that are read together: a partition number moves as one."""
    groups: dict[Hashable, list[Place]] = {}
    for place in lag:
        key: Hashable = place[0] if place in standing.followed else place[1]
        groups.setdefault(key, []).append(place)
    parts: dict[Hashable, Part] = {}
    for key, places in groups.items():
        counts = [lag[place] for place in places]
        known = [count for count in counts if count is not None]
        positions = tuple(standing.positions.get(place) for place in places)
        if len(known) == len(counts):
            parts[key] = Part(sum(known), positions)
        else:
            parts[key] = Part(None, (positions, standing.mark))
    return parts


def end_process(reason: str, loop: asyncio.AbstractEventLoop | None) -> None:
    """Log why and where everything stands, and end this process; does not return."""
    try:
        log.error("role_stuck", error=reason, stack=describe_stacks(loop))
        sys.stderr.flush()
    finally:
        os._exit(STUCK)
