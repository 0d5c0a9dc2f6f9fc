"""Supervises the roles as an init system would: what ended is started again, for ever."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streams.stack.role_process import RoleProcess
from streams.stack.stack import Stack

LOOK_EVERY_S = 0.1
BACKOFF_S = 1.0


class Keeper:
    """Starts what has ended, except what is held down on purpose.

    Args:
        stack: Whose roles are kept.
        tell: Takes one line for each end that nobody caused.
    """

    def __init__(self, stack: Stack, tell: Callable[[str], None]) -> None:
        self.ends: Counter[str] = Counter()
        """Ends that no fault caused directly, by role and exit status."""
        self._stack = stack
        self._tell = tell
        self._held: Counter[RoleProcess] = Counter()
        self._struck: set[RoleProcess] = set()
        self._started_at: dict[RoleProcess, float] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    @contextmanager
    def down(self, each: RoleProcess) -> Iterator[None]:
        """Keep a process down, or leave it to the caller, while the block lasts."""
        with self._lock:
            self._held[each] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[each] -= 1
                if not each.alive:
                    self._struck.add(each)

    def up(self) -> list[RoleProcess]:
        """Give the processes that nobody holds down."""
        with self._lock:
            return [each for each in self._stack.roles if not self._held[each]]

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            for each in list(self._stack.roles):
                with self._lock:
                    if not self._held[each] and not each.alive:
                        self._again(each)

    def _again(self, each: RoleProcess) -> None:
        now_s = time.monotonic()
        if each in self._struck:
            self._struck.discard(each)
        elif now_s - self._started_at.get(each, 0.0) < BACKOFF_S:
            return
        elif each.exit_status not in (None, 0, os.EX_TEMPFAIL):
            self.ends[f"{each.role} {each.exit_status}"] += 1
            reason = each.last_words(1).strip()
            self._tell(f"{each.name} ended by itself ({each.exit_status}): {reason}")
        self._started_at[each] = now_s
        each.start()
