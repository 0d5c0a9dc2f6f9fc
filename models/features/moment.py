"""Parts of an event time in UTC (where a customer lives is not known)."""

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def hour_of(at_ms: int) -> float:
    """Give the hour of the day, 0 to 24, with fraction.

    >>> hour_of(5_400_000)
    1.5
    """
    return (at_ms % DAY_MS) / HOUR_MS


def is_weekend(at_ms: int) -> bool:
    """Tell whether it is Saturday or Sunday (1 January 1970 was a Thursday).

    >>> is_weekend(2 * DAY_MS), is_weekend(4 * DAY_MS)
    (True, False)
    """
    return (at_ms // DAY_MS + 3) % 7 >= 5
