"""What is known of one customer: a bounded fold of the customer's transactions, tickets, labels.

A value of room ``customer`` (all lists bounded, oldest dropped first):

========= ====================================================================================
at_ms     latest event time
first_ms  first transaction's event time
count     transactions that counted for mean and variance
mean      exponentially weighted mean amount, each amount clipped to 3 times the mean before
variance  exponentially weighted variance of the clipped amounts
days      [day, count, amount] per day with transactions, 32 days
recent    the last 16 transactions (see `fold_transaction`)
large     event times of transactions above 3 times the mean, 16
devices, countries  [name, event time of first use], the last seen, newest last
places    the last seen, newest last
alerts    [typology, event time, alert id], 8
frauds    [transaction id, event time, known since], 8
tickets   ids of open tickets, 20
========= ====================================================================================
"""

from collections.abc import Mapping
from typing import Any

from models.state import Value

DAY_MS = 86_400_000
RECENT = 16
DAYS = 32
DEVICES = 8
PLACES = 16
ALERTS = 8
FRAUDS = 8
TICKETS = 20
LARGE_RATIO = 3.0
_SLOWEST = 0.02
"""Smallest weight of a new amount: the mean forgets with about 50 transactions."""

NEW: Value = {
    "at_ms": 0,
    "first_ms": 0,
    "count": 0,
    "mean": 0.0,
    "variance": 0.0,
    "days": [],
    "recent": [],
    "large": [],
    "devices": [],
    "countries": [],
    "places": [],
    "alerts": [],
    "frauds": [],
    "tickets": [],
}
"""A customer of whom nothing is known."""


def place_of(event: Mapping[str, Any]) -> str | None:
    """Name where a transaction took place: its merchant, else its terminal."""
    place: str | None = event.get("merchant_id") or event.get("terminal_id")
    return place


def fold_transaction(
    customer: Value | None,
    event: Mapping[str, Any],
    at_ms: int,
    decision: Mapping[str, Any],
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """Give the customer after a transaction as decided.

    Reversals and repeated transaction ids leave the habits (mean, days, places) alone.
    """
    before = NEW if customer is None else customer
    amount: float = decision["amount"]
    after = dict(before)
    after["at_ms"] = max(before["at_ms"], at_ms)
    entry = {
        "id": event["transaction_id"],
        "at_ms": at_ms,
        "amount": amount,
        "outcome": event["outcome"],
        "risky": decision["suspicious"] and event["outcome"] != "declined",
        "alert": decision["alert_id"],
        "fraud": None,
        "event_id": event["event_id"],
        "topic": source["topic"],
        "partition": source["partition"],
        "offset": source["offset"],
    }
    after["recent"] = [*before["recent"][1 - RECENT :], entry]
    if decision["alert_id"] is not None:
        alert = [decision["typology"], at_ms, decision["alert_id"]]
        after["alerts"] = [*before["alerts"][1 - ALERTS :], alert]
    if event["outcome"] == "reversed" or decision["repeated"]:
        return after
    _fold_habits(after, before, amount, at_ms)
    _meet(after, "devices", event.get("device_id"), at_ms)
    _meet(after, "countries", event.get("country"), at_ms)
    _remember(after, "places", place_of(event), PLACES)
    return after


def fold_fraud(
    customer: Value, transaction_id: str, is_fraud: bool, at_ms: int, known_ms: int
) -> dict[str, Any]:
    """Give the customer after it became known whether a transaction was fraud."""
    frauds = [fraud for fraud in customer["frauds"] if fraud[0] != transaction_id]
    if is_fraud:
        frauds = [*frauds[1 - FRAUDS :], [transaction_id, at_ms, known_ms]]
    recent = [
        {**entry, "fraud": is_fraud} if entry["id"] == transaction_id else entry
        for entry in customer["recent"]
    ]
    return {**customer, "frauds": frauds, "recent": recent}


def fold_ticket_list(
    customer: Value | None, ticket_id: str, is_open: bool, at_ms: int
) -> dict[str, Any]:
    """Give the customer after a ticket was opened or ended; the oldest of over 20 drops out."""
    before = NEW if customer is None else customer
    tickets = [other for other in before["tickets"] if other != ticket_id]
    if is_open:
        tickets = [*tickets[1 - TICKETS :], ticket_id]
    return {**before, "tickets": tickets, "at_ms": max(before["at_ms"], at_ms)}


def _fold_habits(after: dict[str, Any], before: Value, amount: float, at_ms: int) -> None:
    count, mean = before["count"], before["mean"]
    clipped = amount
    if count:
        limit = LARGE_RATIO * max(mean, 1.0)
        if amount > limit:
            clipped = limit
            after["large"] = [*before["large"][1 - RECENT :], at_ms]
    else:
        after["first_ms"] = at_ms
    weight = max(1.0 / (count + 1), _SLOWEST)
    step = clipped - mean
    after["count"] = count + 1
    after["mean"] = mean + weight * step
    after["variance"] = (1.0 - weight) * (before["variance"] + weight * step * step)
    after["days"] = _fold_day(before["days"], at_ms // DAY_MS, amount)


def _fold_day(days: list[list[float]], day: int, amount: float) -> list[list[float]]:
    if not days or day > days[-1][0]:
        return [*days[1 - DAYS :], [day, 1, amount]]
    for i in range(len(days) - 1, -1, -1):
        if days[i][0] == day:
            return [*days[:i], [day, days[i][1] + 1, days[i][2] + amount], *days[i + 1 :]]
        if days[i][0] < day:
            return [*days[: i + 1], [day, 1, amount], *days[i + 1 :]][-DAYS:]
    return [[day, 1, amount], *days][-DAYS:]


def _meet(after: dict[str, Any], name: str, value: str | None, at_ms: int) -> None:
    """Note a device or country, with the time of its first use."""
    known = after[name]
    if value is None or (known and known[-1][0] == value):
        return
    first_ms = next((first_ms for other, first_ms in known if other == value), at_ms)
    after[name] = [
        *[entry for entry in known if entry[0] != value][1 - DEVICES :],
        [value, first_ms],
    ]


def _remember(after: dict[str, Any], name: str, value: str | None, limit: int) -> None:
    known = after[name]
    if value is None or (known and known[-1] == value):
        return
    after[name] = [*[other for other in known if other != value][1 - limit :], value]
