"""Where a number stands among the latest ones."""

from bisect import bisect_left, bisect_right, insort
from collections import deque


class SlidingRank:
    """Empirical rank among the last ``size`` numbers learned.

    >>> rank = SlidingRank(4)
    >>> for number in (1.0, 2.0, 3.0, 4.0):
    ...     rank.learn_one(number)
    >>> rank.rank_one(3.5), rank.rank_one(9.0)
    (0.75, 1.0)
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        self.size = size
        self._latest: deque[float] = deque()
        self._ordered: list[float] = []

    def __len__(self) -> int:
        return len(self._ordered)

    def learn_one(self, number: float) -> None:
        """Take in a number (not nan), forgetting the oldest when full."""
        if len(self._latest) == self.size:
            del self._ordered[bisect_left(self._ordered, self._latest.popleft())]
        self._latest.append(number)
        insort(self._ordered, number)

    def rank_one(self, number: float) -> float:
        """Return the share of the numbers below, equals counting half, in [0, 1].

        Before any number has been learned it is .5: nothing is known.
        """
        if not self._ordered:
            return 0.5
        below = bisect_left(self._ordered, number)
        upto = bisect_right(self._ordered, number, below)
        return (below + upto) / (2 * len(self._ordered))

    def content(self) -> list[float]:
        """Return the numbers in the order they came, for digests."""
        return list(self._latest)
