"""The fixed job: one small decision that every engine is measured with.

Decode and validate a transaction of 357 bytes, 16 features from it and the customer's state, a
logistic score and River's half-space trees, encode a decision of about 393 bytes, move the
customer's state on. :meth:`FixedJob.answer` is all of it in one call: what a peer engine runs, and
alone the floor. :mod:`models.fixed_job.core` gives the same pieces to the desk.
"""

import math
from collections.abc import Mapping
from random import Random
from typing import Any

from river.anomaly import HalfSpaceTrees

from schemas.codec import decode, encode
from schemas.journal import JOURNAL_VERSION, Source
from schemas.transactions import TRANSACTION, Transaction

TREES = 24
HEIGHT = 8
"""Trees as large as logistic score and trees together take 25 of 46 µs on a quiet machine."""

TRAINED_ON = 1_000
SEED = 7
BIAS = -2.0
WEIGHTS: dict[str, float] = {
    "amount": 0.9,
    "amount_ratio": 1.7,
    "amount_z": 0.8,
    "amount_step": 0.3,
    "count": -0.6,
    "gap": -0.4,
    "rapid": 1.1,
    "hour_sin": 0.1,
    "hour_cos": -0.2,
    "abroad": 0.7,
    "foreign": 0.8,
    "contactless": -0.4,
    "declined": 1.3,
    "declined_share": 1.6,
    "cash": 0.5,
    "mcc_risk": 0.9,
}
"""Of the 16 features, each in [0, 1]."""

ALERT_SCORE = 0.6
FADE = 0.1
"""Weight of the newest amount in the exponentially weighted mean."""

HOUR_MS = 3_600_000
RISKY_MCCS = {"4829": 0.6, "6011": 0.5, "7995": 1.0}
HOME, CURRENCY, APPROVED = "DE", "EUR", "00"

Customer = Mapping[str, Any]
"""A customer's state: JSON, 150 to 250 bytes, never changed in place."""

UNKNOWN: Customer = {
    "count": 0,
    "mean": 0.0,
    "deviation": 0.0,
    "last_amount": 0,
    "last_ms": 0,
    "rapid": 0,
    "declined_count": 0,
    "first_ms": 0,
    "alert_count": 0,
    "peak_score": 0.0,
}


class FixedJob:
    """Pure functions around two scorers that were trained when it was made; equal everywhere."""

    def __init__(self) -> None:
        self._trees = _trained()

    @staticmethod
    def decode(raw: bytes) -> Transaction:
        """Parse and validate.

        Raises:
            MalformedError, RejectedError: not a transaction.
        """
        return decode(TRANSACTION, raw)

    def decide(self, event: Transaction, customer: Customer, occurred_ms: int) -> dict[str, Any]:
        """Decide about a transaction; gives what a decision says beyond its envelope."""
        features = extract(event, customer, occurred_ms)
        total = BIAS
        for name, weight in WEIGHTS.items():
            total += weight * features[name]
        score = 1.0 / (1.0 + math.exp(-total))
        anomaly = self._trees.score_one(features)
        return {
            "event_id": event.event_id,
            "tenant": event.tenant,
            "customer_id": event.customer_id,
            "occurred_ms": occurred_ms,
            "amount": event.amount_minor,
            "code": event.response_code,
            "score": round(score, 4),
            "anomaly": round(anomaly, 4),
            "alert": score > ALERT_SCORE,
        }

    @staticmethod
    def advance(customer: Customer, record: Mapping[str, Any]) -> dict[str, Any]:
        """Give the customer's state after a decision."""
        amount, occurred_ms = record["amount"], record["occurred_ms"]
        count, mean = customer["count"], customer["mean"]
        fade = FADE if count else 1.0
        distance = amount - mean
        near = occurred_ms - customer["last_ms"] < HOUR_MS
        return {
            "count": count + 1,
            "mean": round(mean + fade * distance, 2),
            "deviation": round(customer["deviation"] * (1.0 - FADE) + FADE * abs(distance), 2),
            "last_amount": amount,
            "last_ms": occurred_ms,
            "rapid": customer["rapid"] + 1 if near else 0,
            "declined_count": customer["declined_count"] + (record["code"] != APPROVED),
            "first_ms": customer["first_ms"] or occurred_ms,
            "alert_count": customer["alert_count"] + record["alert"],
            "peak_score": max(customer["peak_score"], record["score"]),
        }

    @staticmethod
    def encode(record: Mapping[str, Any]) -> bytes:
        """Give a decision as JSON."""
        return encode(record)

    def answer(self, raw: bytes, customer: Customer | None) -> tuple[dict[str, Any], bytes]:
        """Do the whole job.

        Args:
            raw: A transaction of :func:`models.fixed_job.payloads.payloads`.
            customer: The state that the last answer about this customer gave.

        Returns:
            The customer's next state and the decision, in the desk's envelope.
        """
        event = self.decode(raw)
        before = UNKNOWN if customer is None else customer
        decision = self.decide(event, before, event.occurred_ms)
        record = envelope(decision, SOURCE, 100_000 + before["count"], revision=0)
        return self.advance(before, record), self.encode(record)


def _trained() -> Any:
    """Give trees that have seen numbers from everywhere; from here on they only score."""
    rng = Random(SEED)
    trees: Any = HalfSpaceTrees(n_trees=TREES, height=HEIGHT, window_size=250, seed=SEED)
    learn = trees.learn_one
    for _ in range(TRAINED_ON):
        learn({name: rng.random() for name in WEIGHTS})
    return trees


def envelope(
    decision: Mapping[str, Any], source: Source, number: int, revision: int
) -> dict[str, Any]:
    """Put a decision into the envelope that the desk's journal has."""
    return {
        "v": JOURNAL_VERSION,
        "kind": "transaction",
        "epoch": 1,
        "number": number,
        "writer": WRITER,
        **draft(decision, source, revision),
    }


def draft(decision: Mapping[str, Any], source: Source, revision: int) -> dict[str, Any]:
    """Put a decision into the part of the envelope that deciding adds."""
    return {
        "kind": "transaction",
        "source": dict(source),
        "learner": {"revision": revision},
        **decision,
    }


WRITER = "0" * 32
SOURCE = Source(
    topic="payments.transactions.v1", partition=1, offset=100_000, published_ms=1_772_409_600_000
)
"""Stands for the position where an engine does not show it."""


def extract(event: Transaction, customer: Customer, occurred_ms: int) -> dict[str, float]:
    """Give the 16 features, each in [0, 1]."""
    amount, mean = event.amount_minor, customer["mean"]
    count = customer["count"]
    gap_h = (occurred_ms - customer["last_ms"]) / HOUR_MS
    angle = (occurred_ms % (24 * HOUR_MS)) / (24 * HOUR_MS) * math.tau
    distance = amount - mean
    return {
        "amount": min(amount / 100_000, 1.0),
        "amount_ratio": min(amount / (mean + 1.0) / 10.0, 1.0),
        "amount_z": min(abs(distance) / (customer["deviation"] + 1.0) / 8.0, 1.0),
        "amount_step": min(abs(amount - customer["last_amount"]) / 100_000, 1.0),
        "count": count / (count + 20.0),
        "gap": gap_h / (gap_h + 24.0),
        "rapid": min(customer["rapid"] / 10.0, 1.0),
        "hour_sin": 0.5 + 0.5 * math.sin(angle),
        "hour_cos": 0.5 + 0.5 * math.cos(angle),
        "abroad": float(event.country != HOME),
        "foreign": float(event.currency != CURRENCY),
        "contactless": float(event.channel == "wallet"),
        "declined": float(event.outcome == "declined"),
        "declined_share": customer["declined_count"] / (count + 1.0),
        "cash": float(event.channel == "atm"),
        "mcc_risk": RISKY_MCCS.get(event.mcc or "", 0.1),
    }
