"""Every feature: name, type, unit, meaning. One that is unknown is left out, never guessed.

``docs/features.md`` is written from it: ``python -m tests.features --markdown``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FeatureType = Literal["flag", "count", "ratio", "number"]
"""A flag is 0 or 1, a count a whole number, a ratio has no dimension, a number may be any."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit says about the numbers that have it.

    Args:
        type: What kind of number it is.
        least: No value is lower.
        most: No value is higher.
    """

    type: FeatureType
    least: float = 0.0
    most: float = math.inf

    def admits(self, value: float) -> bool:
        """Tell whether a value can have this unit.

        >>> Unit("flag", 0.0, 1.0).admits(0.5), Unit("number").admits(0.5)
        (False, True)
        """
        whole = self.type in ("flag", "count")
        return self.least <= value <= self.most and value < math.inf and not (whole and value % 1.0)


UNITS: Mapping[str, Unit] = {
    "flag": Unit("flag", 0.0, 1.0),
    "count": Unit("count"),
    "count in parts": Unit("number"),
    "ratio": Unit("ratio"),
    "0 to 1": Unit("ratio", 0.0, 1.0),
    "-1 to 1": Unit("ratio", -1.0, 1.0),
    "deviations": Unit("number", -10.0, 10.0),
    "s": Unit("number"),
    "h": Unit("number", 0.0, 24.0),
    "d": Unit("number"),
    "1/d": Unit("number"),
    "reference currency": Unit("number"),
}
"""``count in parts``: what left a window in the course of a day counts with the share inside."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One named number.

    Args:
        name: As in records.
        unit: One of `UNITS`, which gives type and range.
        meaning: One line for people.
        optional: Left out where it is not known.
    """

    name: str
    unit: str
    meaning: str
    optional: bool = False

    @property
    def type(self) -> FeatureType:
        """What kind of number it is."""
        return UNITS[self.unit].type


_MONEY = "reference currency"

TRANSACTION_FEATURES: tuple[Feature, ...] = (
    Feature("amount", _MONEY, "amount of this transaction"),
    Feature("amount_ratio", "ratio", "amount over the customer's clipped mean", True),
    Feature("amount_z", "deviations", "clipped distance from that mean, -10 to 10", True),
    Feature("usual_amount", "ratio", "amount over the mean of payments of late", True),
    Feature("usual_amount_ratio", "ratio", "amount ratio over its mean of late", True),
    Feature("count_1h", "count", "earlier transactions within the hour, at most 16"),
    Feature("small_1h", "count", "of them, those below 5"),
    Feature("count_1d", "count in parts", "earlier transactions within 1 day (daily buckets)"),
    Feature("count_7d", "count in parts", "earlier transactions within 7 days (daily buckets)"),
    Feature("count_30d", "count in parts", "earlier transactions within 30 days (daily buckets)"),
    Feature("large_14d", "count", "earlier ones in 14 days above 3 times the mean, at most 16"),
    Feature("since_last_s", "s", "since the customer's last transaction", True),
    Feature("hour", "h", "hour of the day in UTC, with fraction"),
    Feature("weekend", "flag", "Saturday or Sunday in UTC"),
    Feature("declined", "flag", "this transaction was declined"),
    Feature("suspect_code", "flag", "declined with a code that says: not one's own card"),
    Feature("declined_1h", "count", "declined earlier within the hour, at most 16"),
    Feature("declined_1d", "count", "declined earlier within 1 day, at most 16"),
    Feature("card_absent", "flag", "ecommerce, moto, recurring or wallet"),
    Feature("atm", "flag", "cash withdrawal"),
    Feature("transfer", "flag", "account transfer"),
    Feature("new_device", "flag", "device of less than a day among the customer's last 8", True),
    Feature("new_country", "flag", "country of less than a day among the customer's last 8", True),
    Feature("new_merchant", "flag", "merchant or terminal not among the last 16", True),
    Feature("customer_fraud_age_d", "d", "since the customer's last known fraud", True),
    Feature("customer_frauds", "count", "known frauds of the customer, at most 8"),
    Feature("customer_large_frauds", "count", "of them, those above 3 times the mean", True),
    Feature("terminal_label", "flag", "last known label of the terminal", True),
    Feature("terminal_fraud_run", "count", "known frauds in a row at the terminal, at most 32"),
    Feature("terminal_first_fraud_age_d", "d", "since the terminal's first known fraud", True),
    Feature("terminal_last_fraud_age_d", "d", "since the terminal's last known fraud", True),
    Feature("terminal_frauds", "count", "known frauds of the terminal, at most 32", True),
    Feature("terminal_fraud_share_7d", "0 to 1", "of its labels, 7 days up to the last", True),
    Feature("terminal_fraud_share_30d", "0 to 1", "likewise, 30 days", True),
    Feature("terminal_per_day", "1/d", "transactions at the terminal, estimated", True),
    Feature("terminal_run_age_d", "d", "since the first of its frauds in a row", True),
    Feature("terminal_run_per_day", "1/d", "frauds in a row, by days since the first", True),
    Feature("terminal_run_ratio", "ratio", "least amount ratio of its frauds in a row", True),
)

TICKET_FEATURES: tuple[Feature, ...] = (
    Feature("text_chars", "count", "characters of subject and text"),
    Feature("chinese", "flag", "language is Chinese"),
    Feature("anger", "0 to 1", "anger by the word list"),
    Feature("sentiment", "-1 to 1", "sentiment by the word list"),
    Feature("amount_at_stake", _MONEY, "the ticket's own amount"),
    Feature("linked_count", "count", "transactions that the ticket names"),
    Feature("linked_suspicious", "count", "of them, those declined, risky or alerted"),
    Feature("premium", "flag", "premium or business customer"),
    Feature("open_tickets", "count", "other open tickets of the customer, at most 20"),
    Feature("customer_risk", "0 to 1", "what the customer's recent transactions say"),
    Feature("alerts_7d", "count", "alerts on the customer in 7 days, at most 8"),
    Feature("declined_1d", "count", "declined within 1 day, at most 16"),
    Feature("hour", "h", "hour of the day in UTC, with fraction"),
    Feature("weekend", "flag", "Saturday or Sunday in UTC"),
)
