"""A pattern that shifts: first stolen cards go cheap, then every amount is inflated."""

from dataclasses import dataclass

from models.evaluation.dates import DriftDays, day_at
from models.evaluation.examples import PaymentExample

STOLEN = "3"
"""The handbook's scenario of stolen credentials, whose amounts are 5 times the usual."""
CHEAP = 0.2 / 5.0
INFLATED = 1.4


@dataclass(frozen=True, slots=True)
class Shifted:
    """A row with another amount."""

    id: str
    ts: int
    customer_id: str
    terminal_id: str
    amount: float
    is_fraud: bool
    scenario: str


def shift(row: PaymentExample, days: DriftDays) -> PaymentExample:
    """Give a row as the drift leaves it: what the generator multiplied is undone first."""
    day = day_at(row.ts)
    if day < days.cheap_from:
        return row
    amount = row.amount
    if row.is_fraud and row.scenario == STOLEN:
        amount *= CHEAP
    if day >= days.inflated_from:
        amount *= INFLATED
    if amount == row.amount:
        return row
    return Shifted(
        row.id, row.ts, row.customer_id, row.terminal_id, amount, row.is_fraud, row.scenario
    )
