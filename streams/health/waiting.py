"""What a role is waiting for just now, said anew at each try."""

import time
from collections.abc import Callable, Hashable


class Waiting:
    """Neighbours that did not serve when they were last asked.

    Args:
        clock: Seconds, monotone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults: dict[Hashable, tuple[float, str]] = {}

    def note(self, what: Hashable, fault: object) -> None:
        """Say that a try has just failed and will be repeated."""
        self._faults[what] = (self._clock(), str(fault))

    def over(self, what: Hashable) -> None:
        """Say that it is served again, or not wanted any more."""
        self._faults.pop(what, None)

    def on(self, what: Hashable) -> bool:
        """Tell whether this is waited for."""
        return what in self._faults

    def reason(self, within_s: float | None = None) -> str | None:
        """Give why the role waits, ``None`` if it does not; safe in any thread.

        Args:
            within_s: Only what was tried in the last so many seconds: a try that hangs is no
                excuse for ever.
        """
        since_s = None if within_s is None else self._clock() - within_s
        faults = [
            fault
            for at_s, fault in list(self._faults.values())
            if since_s is None or at_s >= since_s
        ]
        return faults[-1] if faults else None
