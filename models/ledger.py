"""The partition's own sums: alerts by day, and how the latest scores are spread.

The histogram is decayed (half-life 5,000 transactions) by letting the weight of new scores grow.
"""

import math
from typing import Any

from models.state import Value

_BINS = 160
_WIDEST = 12.0
_GROWTH = 2.0 ** (1.0 / 5_000)
_HEAVIEST = 1e9
_DAYS = 35
DAY_MS = 86_400_000


def percentile(ledger: Value | None, score: float) -> tuple[float, int]:
    """Give the share of recent scores below ``score`` (0 to 1), and how many it rests on."""
    histogram = None if ledger is None else ledger["histogram"]
    if histogram is None:
        return 0.5, 0
    at = _bin(score)
    below = sum(histogram["bins"][:at]) + 0.5 * histogram["bins"][at]
    return round(below / histogram["total"], 6), histogram["count"]


def alerts_used(ledger: Value | None, at_ms: int) -> int | None:
    """Give the alerts spent on the day of ``at_ms``; ``None`` if that is no longer known."""
    if ledger is None:
        return 0
    day = at_ms // DAY_MS
    if day < ledger["oldest_day"]:
        return None
    used: int = ledger["alerts"].get(str(day), 0)
    return used


def share_of_budget(budget: int, partition: int, partition_count: int) -> int:
    """Give a partition's part of a day's alert budget; the parts add up to it.

    >>> sum(share_of_budget(10, partition, 4) for partition in range(4))
    10
    """
    whole, rest = divmod(budget, partition_count)
    return whole + (1 if partition < rest else 0)


def fold_score(ledger: Value | None, score: float, alert: bool, at_ms: int) -> dict[str, Any]:
    """Give the ledger after a transaction was scored, and alerted or not."""
    before: Value = ledger if ledger is not None else NEW
    return {
        **before,
        "histogram": _fold_histogram(before["histogram"], score),
        **(_fold_alert(before, at_ms // DAY_MS) if alert else {}),
    }


def fold_tick(ledger: Value | None, tick_ms: int, quality: Value | None) -> dict[str, Any]:
    """Give the ledger after a tick, which may have reported on the learners' quality."""
    reported = {} if quality is None else {"quality": quality}
    return {**(ledger if ledger is not None else NEW), "last_tick_ms": tick_ms, **reported}


NEW: Value = {"alerts": {}, "oldest_day": -(10**6), "histogram": None, "last_tick_ms": None}
"""The ledger of a partition where nothing has happened."""


def _bin(score: float) -> int:
    if score <= 0.0:
        return 0
    if score >= 1.0:
        return _BINS - 1
    logit = math.log(score / (1.0 - score))
    return int((min(max(logit, -_WIDEST), _WIDEST) + _WIDEST) * (_BINS - 1) / (2.0 * _WIDEST))


def _fold_histogram(histogram: Value | None, score: float) -> dict[str, Any]:
    if histogram is None:
        bins, total, unit, count = [0.0] * _BINS, 0.0, 1.0, 0
    else:
        bins = histogram["bins"].copy()
        total, unit, count = histogram["total"], histogram["unit"], histogram["count"]
    bins[_bin(score)] += unit
    total += unit
    unit *= _GROWTH
    if unit > _HEAVIEST:
        bins = [weight / unit for weight in bins]
        total, unit = total / unit, 1.0
    return {"bins": bins, "total": total, "unit": unit, "count": count + 1}


def _fold_alert(before: Value, day: int) -> dict[str, Any]:
    alerts = {**before["alerts"], str(day): before["alerts"].get(str(day), 0) + 1}
    if len(alerts) <= _DAYS:
        return {"alerts": alerts}
    oldest = min(alerts, key=int)
    del alerts[oldest]
    return {"alerts": alerts, "oldest_day": max(before["oldest_day"], int(oldest) + 1)}
