"""Decoded values of the state, kept in memory: how many, over all partitions of a desk.

What a desk needs again it mostly needs soon, of a customer who pays or writes just now. So few
values do, and a worker that is given more partitions must not take more memory for them.
"""

import threading
from collections import OrderedDict
from typing import Final

from models.state import Room, Value
from streams.desk.staging import MISSING

CACHED_VALUES: Final = 20_000
"""Of a whole desk: a value takes some 4 kB of memory, so 80 MB at the most."""


class CacheBudget:
    """So many values for all caches together, in equal parts; they come and go in any thread.

    Args:
        values: How many.

    Attributes:
        share: How many each of the caches may hold now.
    """

    def __init__(self, values: int = CACHED_VALUES) -> None:
        self._values = values
        self._caches = 0
        self._counting = threading.Lock()
        self.share = values

    def join(self) -> None:
        """Count a cache in; the shares of the others shrink."""
        self._count(1)

    def leave(self) -> None:
        """Count a cache out."""
        self._count(-1)

    def _count(self, change: int) -> None:
        with self._counting:
            self._caches += change
            self.share = self._values // max(self._caches, 1)


class ValueCache:
    """The values of one partition that were used last; for one thread.

    Args:
        budget: Says, at each value that is kept, how many may be.
    """

    def __init__(self, budget: CacheBudget) -> None:
        self._budget = budget
        self._values: OrderedDict[tuple[Room, str], Value | None] = OrderedDict()
        self._open = True
        budget.join()

    def __len__(self) -> int:
        return len(self._values)

    def find(self, place: tuple[Room, str]) -> Value | None:
        """Give the value, ``None`` where it is known that there is none, or ``MISSING``."""
        value: Value | None = self._values.get(place, MISSING)
        if value is not MISSING:
            self._values.move_to_end(place)
        return value

    def keep(self, place: tuple[Room, str], value: Value | None) -> None:
        """Take a value in, and let go of those that were not used for longest."""
        self._values[place] = value
        self._values.move_to_end(place)
        while len(self._values) > self._budget.share:
            self._values.popitem(last=False)

    def close(self) -> None:
        """Forget everything and leave the others one's share; once is enough."""
        self._values.clear()
        if self._open:
            self._open = False
            self._budget.leave()
