"""What the demo says of quality and speed, from what readers of the topics saw."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from models.metrics import accuracy, average_precision
from streams.demo.audit import Seen, TicketSeen, TransactionSeen
from streams.simulator.schedule import Truth

RECENT_TICKETS = 200


def ticket_quality(seen: Seen, truth: Truth) -> dict[str, Any]:
    """Give prequential accuracy (decided before the label was known), whole and by day."""
    known = [each for each in seen.tickets if each.ticket_id in truth.tickets]
    by_day: dict[str, list[TicketSeen]] = defaultdict(list)
    for each in known:
        by_day[_day(each.occurred_ms)].append(each)
    answered = [each for each in known if each.answered]
    asked = [each.asked for each in seen.tickets if each.asked is not None]
    majority = Counter(truth.tickets[each.ticket_id] for each in known).most_common(1)
    return {
        "decided": len(seen.tickets),
        "labels": seen.labels["category"],
        "prequential_accuracy": _accuracy(known, truth),
        "majority_accuracy": round(majority[0][1] / len(known), 4) if known else None,
        "categories": len(set(truth.tickets.values())),
        "answered_share": round(len(answered) / len(known), 4) if known else None,
        "answered_accuracy": _accuracy(answered, truth),
        "asked_share": round(sum(asked) / len(asked), 4) if asked else None,
        "by_day": {day: _accuracy(each, truth) for day, each in sorted(by_day.items())},
        "recent_accuracy": _accuracy(known[-RECENT_TICKETS:], truth),
        "last_fifth_accuracy": _accuracy(known[-max(1, len(known) // 5) :], truth),
    }


def transaction_quality(seen: Seen, truth: Truth) -> dict[str, Any]:
    """Give average precision on all transactions, whole, by week and by kind of score."""
    known = [each for each in seen.transactions if each.transaction_id in truth.transactions]
    by_week: dict[str, list[TransactionSeen]] = defaultdict(list)
    start_ms = min((each.occurred_ms for each in known), default=0)
    start_ms -= start_ms % 86_400_000
    for each in known:
        by_week[f"week_{(each.occurred_ms - start_ms) // (7 * 86_400_000) + 1}"].append(each)
    by_kind: dict[str, list[TransactionSeen]] = defaultdict(list)
    for each in known:
        by_kind[each.score_kind].append(each)
    return {
        "decided": len(seen.transactions),
        "frauds": sum(truth.transactions[each.transaction_id] for each in known),
        "labels": seen.labels["risk"],
        "average_precision": _average_precision(known, truth),
        "score": "+".join(sorted(by_kind)) or None,
        "by_week": {week: _average_precision(each, truth) for week, each in by_week.items()},
        "by_score_kind": {
            kind: {"decided": len(each), "average_precision": _average_precision(each, truth)}
            for kind, each in sorted(by_kind.items())
        },
    }


def latency(seen: Seen, since_ms: int) -> dict[str, float | None]:
    """Give quantiles of publishing to journal append for what was published from then on, ms."""
    waits = [wait for published, wait in seen.waits_ms if published >= since_ms]
    if not waits:
        return {"p50": None, "p99": None, "count": 0}
    p50, p99 = np.percentile(waits, [50, 99])
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2), "count": len(waits)}


def _accuracy(tickets: Sequence[TicketSeen], truth: Truth) -> float | None:
    if not tickets:
        return None
    truths = [truth.tickets[each.ticket_id] for each in tickets]
    return round(accuracy(truths, [each.category for each in tickets]), 4)


def _average_precision(transactions: Sequence[TransactionSeen], truth: Truth) -> float | None:
    labels = [truth.transactions[each.transaction_id] for each in transactions]
    if not any(labels):
        return None
    return round(average_precision(labels, [each.score for each in transactions]), 4)


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"
