"""Real files as a schedule: Banking77 texts as tickets, handbook transactions as they are."""

import math
from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from functools import partial
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Final

from schemas.base import milliseconds, moment
from schemas.registry import FEEDBACK_TOPIC, TRANSACTIONS
from streams.simulator.filerows import ticket_rows, transactions_in_order
from streams.simulator.filetickets import Customers, TicketDesk
from streams.simulator.schedule import Agenda, Scheduled, Truth, scheduled

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
TICKETS_A_DAY: Final = 2_500
FRAUD_KNOWN_AFTER_MS: Final = 7 * DAY_MS
_HOUR_WEIGHTS: Final = tuple(
    0.25 + max(0.0, math.sin((hour - 5) / 17 * math.pi)) for hour in range(24)
)
"""Night is quiet, early afternoon is busy."""


def files(
    tickets: Path | None,
    transactions: Path | None,
    start: date,
    days: int,
    seed: int,
    *,
    tickets_total: int | None = None,
    split: str | None = "train",
    feedback_share: float = 0.7,
    truth: Truth | None = None,
) -> Iterator[Scheduled]:
    """Stream real files over ``days`` days from ``start``, 00:00 UTC, in event-time order.

    Transactions are read lazily; the texts of the tickets are held in memory, for they are
    shuffled. Frauds become known 7 days after they happened, other labels never; about 70 % of
    the tickets get their true category, after about 2 hours. What would be published after the
    window is left out, and frauds from before ``start`` are not known.

    Args:
        tickets: JSON Lines (``.gz`` or plain) with ``id, text, label`` and perhaps
            ``split, lang``.
        transactions: JSON Lines, about in order of ``ts``, with ``id, ts, customer_id,
            terminal_id, amount, is_fraud``.
        start: The first day.
        days: How many days, > 0.
        seed: Draws the tickets' order, customers, times and feedback.
        tickets_total: How many tickets; 2,500 a day, or all there are if those are fewer.
        split: Take only tickets with this ``split`` (or without any); ``None`` takes all.
        feedback_share: Share of tickets that get feedback.
        truth: Filled while iterating.

    Raises:
        RejectedError: a line is not as described; names file and line.
    """
    truth = Truth() if truth is None else truth
    start_ms = milliseconds(datetime.combine(start, time(), UTC))
    end_ms = start_ms + days * DAY_MS
    rng = Random(f"{seed}:files")
    agenda = Agenda()
    customers = Customers()

    if tickets is not None:
        rows = [row for row in ticket_rows(tickets) if split is None or row.split in (None, split)]
        rng.shuffle(rows)
        wanted = days * TICKETS_A_DAY if tickets_total is None else tickets_total
        rows = rows[:wanted]
        times = sorted(_time(rng, start_ms, days) for _ in rows)
        desk = TicketDesk(agenda, rng, customers, truth, feedback_share)
        for at_ms, row in zip(times, rows, strict=True):
            agenda.plan(at_ms, partial(desk.open, row=row))
    if transactions is None:
        yield from _before(agenda.run(), end_ms)
        return
    payments = _payments(transactions, start_ms, end_ms, customers, truth, agenda)
    yield from _before(_with(payments, agenda), end_ms)


def _time(rng: Random, start_ms: int, days: int) -> int:
    """Draw a time in the window: days alike, hours by the day/night curve."""
    sums = list(accumulate(_HOUR_WEIGHTS))
    hour = bisect(sums, rng.random() * sums[-1])
    return start_ms + rng.randrange(days) * DAY_MS + hour * HOUR_MS + rng.randrange(HOUR_MS)


def _before(schedule: Iterator[Scheduled], end_ms: int) -> Iterator[Scheduled]:
    for event in schedule:
        if event.at_ms >= end_ms:
            return
        yield event


def _with(payments: Iterator[Scheduled], agenda: Agenda) -> Iterator[Scheduled]:
    """Merge payments, which plan feedback when they are given, with the agenda."""
    for payment in payments:
        agenda.plan(payment.at_ms, payment)
        for event in agenda.run():
            yield event
            if event is payment:
                break
    yield from agenda.run()


def _payments(
    path: Path, start_ms: int, end_ms: int, customers: Customers, truth: Truth, agenda: Agenda
) -> Iterator[Scheduled]:
    for row in transactions_in_order(
        path, start_ms // 1000, end_ms // 1000, lambda row: customers.meet(row.customer_id)
    ):
        at_ms = row.ts * 1000
        transaction_id = f"hb-{row.id}"
        truth.transactions[transaction_id] = row.is_fraud
        event = {
            "event_id": transaction_id, "customer_id": row.customer_id,
            "occurred_at": moment(at_ms), "type": "transaction",
            "transaction_id": transaction_id, "amount_minor": round(row.amount * 100),
            "currency": "EUR", "terminal_id": row.terminal_id,
        }  # fmt: skip
        yield scheduled(at_ms, TRANSACTIONS.name, event)
        if row.is_fraud:
            truth.typologies[transaction_id] = row.scenario
            known_ms = at_ms + FRAUD_KNOWN_AFTER_MS
            known_at = moment(known_ms)
            label: dict[str, Any] = {
                "event_id": f"{transaction_id}-label", "customer_id": row.customer_id,
                "occurred_at": known_at, "known_at": known_at, "type": "feedback.transaction",
                "transaction_id": transaction_id, "is_fraud": True, "source": "chargeback",
            }  # fmt: skip
            if known_ms < end_ms:
                agenda.publish(known_ms, FEEDBACK_TOPIC.name, label)
