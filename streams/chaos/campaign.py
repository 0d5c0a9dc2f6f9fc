"""A fault campaign: a load, strikes among it, then everything is counted and compared."""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.chaos.keeper import Keeper
from streams.chaos.load import Load
from streams.chaos.observer import Observer, Recovery
from streams.chaos.pauses import Pauses, longest_pauses
from streams.chaos.plan import Strike
from streams.chaos.rest import come_to_rest
from streams.chaos.rig import Rig, Server
from streams.chaos.strikes.table import strike
from streams.chaos.verdict.compare import compare
from streams.chaos.verdict.stores import compare_stores
from streams.chaos.verdict.verdict import Verdict
from streams.role import now_ms
from streams.simulator.company import company
from streams.stack.role_process import RoleProcess
from streams.stack.stack import Stack

MOST_WAITING = 1_000
SECONDS_A_FAULT = 5.0
"""The load is spread so that faults fall on a system at work, not on one that has finished."""
AT_ONCE = 3
"""So many faults may be at work or not yet recovered from; then the next one waits."""
WAIT_S = 60.0
"""It waits no longer than this: faults also strike a system that is still on its way back."""
DAYS = 12.0
DAY_MS = 86_400_000
SPARE = 9


@dataclass(slots=True)
class Course:
    """What happened, strike by strike."""

    struck: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    load_s: float = 0.0


class Campaign:
    """Runs one plan on one stack.

    Args:
        stack: Started, made with ``skewable``.
        broker: The broker, where it is ours to end.
        strikes: In order of time.
        event_count: Of the load.
        seed: Of the load.
        tell: Takes a line for people.
    """

    def __init__(
        self,
        stack: Stack,
        broker: Server | None,
        strikes: Sequence[Strike],
        event_count: int,
        seed: int,
        tell: Callable[[str], None],
    ) -> None:
        self._stack = stack
        self._strikes = strikes
        self._event_count = event_count
        self._seed = seed
        self._tell = tell
        self._started_s = time.monotonic()
        self._course = Course()
        self._at_work: list[threading.Thread] = []
        self._open = ExitStack()
        self._spare = stack.add("desk", SPARE)
        self._keeper = Keeper(stack, tell)
        self._open.enter_context(self._keeper.down(self._spare))
        self._open.enter_context(self._keeper)
        self._observer = Observer(self._answering, lambda: dict(self._load.ends), self._recovered)
        self._load = Load(stack.settings.kafka, self._observer.decided_count, MOST_WAITING)
        self._rig = Rig(stack, self._keeper, self._load, broker, self._spare)
        self._open.enter_context(self._observer)

    def __enter__(self) -> "Campaign":
        return self

    def __exit__(self, *_: object) -> None:
        self._rig.give_up()
        for each in self._at_work:
            each.join()
        self._open.close()

    def run(self) -> dict[str, Any]:
        """Publish, strike, wait until all is at rest, stop the roles, compare.

        Raises:
            UnavailableError: the system did not come to rest.
        """
        self._publish()
        self._tell(f"{self._at()} all published; waiting until everything is at rest")
        down = come_to_rest(self._stack, self._keeper, self._observer, self._load.ends)
        self._open.enter_context(down)
        self._tell(f"{self._at()} comparing inputs, journal, topics, ClickHouse and state")
        settings, partition_count = self._stack.settings, self._stack.settings.topics.partitions
        verdict = compare(settings, partition_count, self._load.published)
        directories = {settings.state_dir / each.settings.worker for each in self._stack.of("desk")}
        stores = compare_stores(settings, partition_count, filter(Path.is_dir, sorted(directories)))
        return self._report(verdict.joined(stores), longest_pauses(settings.kafka, partition_count))

    # -- the course ------------------------------------------------------------------------------

    def _publish(self) -> None:
        started_s = time.monotonic()
        start_ms = now_ms() - int(DAYS * DAY_MS)
        coming = list(self._strikes)
        pause_s = len(coming) * SECONDS_A_FAULT / self._event_count
        schedule = company(self._seed, self._event_count, start_ms, DAYS)
        for number, event in enumerate(schedule):
            while coming and coming[0].at_event <= number:
                self._begin(coming.pop(0))
            self._load.publish(event)
            early_s = started_s + number * pause_s - time.monotonic()
            if early_s > 0.01:
                self._load.wait(early_s)
        for each in coming:
            self._begin(each)
        self._load.flush()
        self._course.load_s = time.monotonic() - started_s
        while any(each.is_alive() for each in self._at_work):
            self._load.wait(0.1)
        self._load.flush()

    def _begin(self, what: Strike) -> None:
        patient_until_s = time.monotonic() + WAIT_S
        while True:
            at_work = sum(each.is_alive() for each in self._at_work)
            late = time.monotonic() > patient_until_s
            if at_work + (0 if late else self._observer.open_count) < AT_ONCE:
                break
            self._load.wait(0.05)
        thread = threading.Thread(target=self._strike, args=(what,), name=f"strike-{what.number}")
        self._at_work.append(thread)
        thread.start()

    def _strike(self, what: Strike) -> None:
        began_s = time.monotonic()
        name = f"{what.number:>3}/{len(self._strikes)} {what.fault.kind}"
        try:
            target = strike(self._rig, what)
        except Exception as fault:
            self._course.failed.append(f"{what.fault.kind}: {fault!r}")
            self._tell(f"{self._at()} {name}: NOT STRUCK: {fault!r}")
            return
        self._course.struck[what.fault.kind] += 1
        lasted_s = time.monotonic() - began_s
        self._observer.begin(what.fault.kind, what.fault.roles, what.number)
        lasting = f", lasted {lasted_s:.0f} s" if lasted_s >= 1 else ""
        self._tell(f"{self._at()} {name} ({target}{lasting})")

    def _recovered(self, recovery: Recovery) -> None:
        took_s = recovery.caught_up_s or 0.0
        if took_s >= 1.0:
            self._tell(f"{self._at()} {recovery.number:>3} {recovery.name}: over in {took_s:.1f} s")

    def _answering(self) -> list[RoleProcess]:
        up = self._keeper.up()
        return [*up, self._spare] if self._spare.alive and self._spare not in up else up

    def _at(self) -> str:
        return f"{time.monotonic() - self._started_s:6.1f} s"

    # -- the report ------------------------------------------------------------------------------

    def _report(self, verdict: Verdict, pauses: Pauses) -> dict[str, Any]:
        done = self._observer.recoveries
        return {
            **verdict.as_json(),
            "faults": dict(sorted(self._course.struck.items())),
            "recovery_s": _spread([each.caught_up_s for each in done]),
            "longest_pause_s": round(pauses.longest_s, 3),
            "moving_again_s": _spread([each.moved_s for each in done]),
            "recovery_by_kind_s": _by_kind(done),
            "not_recovered": [each.name for each in done if each.caught_up_s is None],
            "not_struck": self._course.failed,
            "notes": self._rig.notes,
            "unexpected_ends": dict(sorted(self._keeper.ends.items())),
            "pauses": pauses.as_json(),
            "sent_again": self._load.sent_again_count,
            "load_s": round(self._course.load_s, 1),
            "seed": self._seed,
        }


def _spread(values: Sequence[float | None]) -> dict[str, float | None]:
    known = [value for value in values if value is not None]
    if not known:
        return {"p50": None, "max": None}
    return {"p50": round(statistics.median(known), 2), "max": round(max(known), 2)}


def _by_kind(recoveries: Sequence[Recovery]) -> dict[str, dict[str, float | None]]:
    kinds: dict[str, list[float | None]] = {}
    for each in recoveries:
        kinds.setdefault(each.name, []).append(each.caught_up_s)
    return {kind: _spread(values) for kind, values in sorted(kinds.items())}
