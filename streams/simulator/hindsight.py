"""What people find out: feedback that comes late, partly, and sometimes wrong."""

import math
from random import Random
from typing import Any, Final

from schemas.base import moment
from schemas.feedback import Mood
from schemas.registry import FEEDBACK_TOPIC
from streams.simulator.ledger import Payment
from streams.simulator.phrasebook import CATEGORIES
from streams.simulator.schedule import Agenda

HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000

LABELLED_TICKET_SHARE = 0.6
WRONG_CATEGORY_SHARE = 0.03
MOOD_SHARE = 0.5
"""Share of the labels that say the mood too."""
WRONG_MOOD_SHARE = 0.08
LABELLED_FRAUD_SHARE = 0.85
CLEARED_SHARE = 0.006
"""Share of honest payments that somebody looks into."""
WRONG_FRAUD_LABEL_SHARE = 0.02
RATED_SHARE = 0.3
OVERRIDE_SHARE = 0.015

URGENCIES: Final = ("low", "medium", "high", "critical")
MOODS: Final[tuple[Mood, ...]] = ("angry", "unhappy", "neutral", "pleased")
_PRIORITIES: Final = ("P1", "P2", "P3", "P4")


def late_ms(rng: Random, median_ms: float, spread: float) -> int:
    """Draw a delay from a log-normal distribution."""
    return 1 + int(rng.lognormvariate(math.log(median_ms), spread))


class Hindsight:
    """Plans feedback about tickets and transactions.

    Args:
        agenda: The future.
        rng: Draws delays, gaps and errors.
        prefix: Begins every event id.
    """

    def __init__(self, agenda: Agenda, rng: Random, prefix: str) -> None:
        self._agenda = agenda
        self._rng = rng
        self._prefix = prefix
        self._count = 0

    def ticket(
        self,
        at_ms: int,
        customer_id: str,
        ticket_id: str,
        category: str,
        urgency: str,
        mood: Mood,
    ) -> None:
        """Plan what becomes known about a ticket opened at ``at_ms``."""
        rng = self._rng
        about = {"customer_id": customer_id, "ticket_id": ticket_id, "type": "feedback.ticket"}
        if rng.random() < LABELLED_TICKET_SHARE:
            if rng.random() < WRONG_CATEGORY_SHARE:
                category = rng.choice(CATEGORIES)
            if rng.random() < WRONG_CATEGORY_SHARE:
                urgency = rng.choice(URGENCIES)
            label = {**about, "category": category, "urgency": urgency, "source": "agent"}
            if rng.random() < 0.1:
                del label["urgency"]
            if rng.random() < MOOD_SHARE:
                label["mood"] = rng.choice(MOODS) if rng.random() < WRONG_MOOD_SHARE else mood
            if rng.random() < 0.4:
                label["solution"] = f"{category}-{rng.choice('abc')}"
            self._give(at_ms + late_ms(rng, 90 * MINUTE_MS, 1.0), label)
        if rng.random() < RATED_SHARE:
            satisfaction = rng.choices((1, 2, 3, 4, 5), (14, 10, 16, 32, 28))[0]
            rating = {**about, "satisfaction": satisfaction, "source": "customer"}
            self._give(at_ms + late_ms(rng, 20 * HOUR_MS, 0.8), rating)
        if rng.random() < OVERRIDE_SHARE:
            given_ms = at_ms + late_ms(rng, 20 * MINUTE_MS, 0.6)
            override = {
                "customer_id": customer_id, "ticket_id": ticket_id,
                "type": "feedback.priority_override", "priority": rng.choice(_PRIORITIES),
                "expires_at": moment(given_ms + rng.randint(4, 24) * HOUR_MS), "source": "agent",
            }  # fmt: skip
            self._give(given_ms, override)

    def witness(self, payment: Payment) -> None:
        """Plan what becomes known about a payment: most frauds, few others."""
        rng = self._rng
        share = CLEARED_SHARE if payment.fraud is None else LABELLED_FRAUD_SHARE
        if rng.random() >= share:
            return
        source = rng.choices(("chargeback", "investigation", "customer"), (45, 35, 20))[0]
        self.transaction(payment, payment.at_ms + late_ms(rng, 20 * HOUR_MS, 0.9), source)

    def transaction(self, payment: Payment, at_ms: int, source: str) -> None:
        """Plan a verdict on a payment; a few are wrong."""
        is_fraud = (payment.fraud is not None) != (self._rng.random() < WRONG_FRAUD_LABEL_SHARE)
        verdict: dict[str, Any] = {
            "customer_id": payment.customer.customer_id, "type": "feedback.transaction",
            "transaction_id": payment.transaction_id, "is_fraud": is_fraud, "source": source,
        }  # fmt: skip
        if is_fraud and payment.fraud is not None and self._rng.random() < 0.7:
            verdict["typology"] = payment.fraud
        self._give(at_ms, verdict)

    def _give(self, at_ms: int, feedback: dict[str, Any]) -> None:
        self._count += 1
        when = moment(at_ms)
        event = {
            "event_id": f"{self._prefix}-f{self._count}", "occurred_at": when, "known_at": when,
            **feedback,
        }  # fmt: skip
        self._agenda.publish(at_ms, FEEDBACK_TOPIC.name, event)
