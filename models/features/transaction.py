"""The features of a transaction, from the event, the customer's fold and known labels."""

from collections.abc import Sequence
from typing import Any

from models.customer import NEW
from models.knowledge import TerminalFacts
from models.state import Value
from models.usual import UNKNOWN, UsualFacts
from schemas.transactions import Transaction

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
SMALL_AMOUNT = 5.0
_CARD_ABSENT = frozenset({"ecommerce", "moto", "recurring", "wallet"})
_SUSPECT_CODES = frozenset({"04", "07", "14", "34", "41", "43", "59", "63", "82", "N7"})
"""Response codes (ISO 8583 DE 39, with the card schemes' own) that speak of a card not one's own:
pick up, no such card, suspected fraud, lost, stolen, security violation, wrong CVV."""
_WIDEST_Z = 10.0


def extract_transaction(
    event: Transaction,
    at_ms: int,
    amount: float,
    customer: Value | None,
    terminal: TerminalFacts,
    usual: UsualFacts = UNKNOWN,
) -> dict[str, float]:
    """Give the features of a transaction by name; unknown ones are left out.

    Args:
        event: The transaction.
        at_ms: Its event time.
        amount: In the reference currency.
        customer: The fold of everything before it.
        terminal: What was known of its terminal at ``at_ms``.
        usual: What payments are like of late.
    """
    if customer is None:
        customer = NEW
    day, of_day_ms = divmod(at_ms, DAY_MS)
    hour = of_day_ms / HOUR_MS
    features = {
        "amount": amount,
        "hour": hour,
        "weekend": 1.0 if (day + 3) % 7 >= 5 else 0.0,
        "declined": 1.0 if event.outcome == "declined" else 0.0,
        "suspect_code": 1.0 if event.response_code in _SUSPECT_CODES else 0.0,
        "card_absent": 1.0 if event.channel in _CARD_ABSENT else 0.0,
        "atm": 1.0 if event.channel == "atm" else 0.0,
        "transfer": 1.0 if event.channel == "transfer" else 0.0,
        "terminal_fraud_run": float(terminal.fraud_run),
    }
    if usual.amount is not None:
        features["usual_amount"] = amount / usual.amount
    if customer["count"]:
        mean = max(customer["mean"], 1.0)
        spread = max(customer["variance"] ** 0.5, 0.05 * mean)
        z = (amount - mean) / spread
        ratio = amount / mean
        features["amount_ratio"] = ratio
        if usual.amount_ratio is not None:
            features["usual_amount_ratio"] = ratio / usual.amount_ratio
        features["amount_z"] = min(max(z, -_WIDEST_Z), _WIDEST_Z)
    _add_windows(features, customer["days"], day, of_day_ms / DAY_MS)
    _add_recent(features, customer, at_ms)
    _add_novelty(features, event, customer, at_ms)
    _add_frauds(features, customer, at_ms)
    if terminal.label is not None:
        _add_terminal(features, terminal, at_ms)
    return features


def _add_terminal(features: dict[str, float], terminal: TerminalFacts, at_ms: int) -> None:
    """Add what labels say about a terminal of which at least one is known."""
    features["terminal_label"] = 1.0 if terminal.label else 0.0
    features["terminal_fraud_share_7d"] = terminal.fraud_share_7d or 0.0
    features["terminal_fraud_share_30d"] = terminal.fraud_share_30d or 0.0
    features["terminal_per_day"] = terminal.per_day or 0.0
    if terminal.first_fraud_ms is None or terminal.last_fraud_ms is None:
        return
    features["terminal_frauds"] = float(terminal.fraud_count)
    features["terminal_first_fraud_age_d"] = (at_ms - terminal.first_fraud_ms) / DAY_MS
    features["terminal_last_fraud_age_d"] = (at_ms - terminal.last_fraud_ms) / DAY_MS
    if terminal.run_first_ms is not None:
        age_d = (at_ms - terminal.run_first_ms) / DAY_MS
        features["terminal_run_age_d"] = age_d
        features["terminal_run_per_day"] = terminal.fraud_run / max(age_d, 1.0)
    if terminal.run_ratio is not None:
        features["terminal_run_ratio"] = terminal.run_ratio


def _add_windows(
    features: dict[str, float], days: list[list[float]], today: int, elapsed: float
) -> None:
    """Add counts: the oldest day of a window counts with the share still inside."""
    rest = 1.0 - elapsed
    # Whole days add up exactly, in any order; the share of one comes last.
    count_1 = count_7 = 0.0
    for day, count, _ in reversed(days):
        age = today - day
        if age > 6:
            if age == 7:
                count_7 += rest * count
            break
        if age < 0:
            continue
        count_7 += count
        if age == 0:
            count_1 += count
        elif age == 1:
            count_1 += rest * count
    oldest = today - 30
    count_30 = float(sum([count for day, count, _ in days if oldest < day <= today]))
    for day, count, _ in days:
        if day >= oldest:
            if day == oldest:
                count_30 += rest * count
            break
    features["count_1d"] = count_1
    features["count_7d"] = count_7
    features["count_30d"] = count_30


def _add_recent(features: dict[str, float], customer: Value, at_ms: int) -> None:
    hour_ms, day_ms = at_ms - HOUR_MS, at_ms - DAY_MS
    count_1h = small_1h = declined_1h = declined_1d = 0
    for entry in reversed(customer["recent"]):
        then_ms = entry["at_ms"]
        if day_ms < then_ms <= at_ms:
            declined = entry["outcome"] == "declined"
            declined_1d += declined
            if then_ms > hour_ms:
                count_1h += 1
                declined_1h += declined
                small_1h += entry["amount"] < SMALL_AMOUNT
    features["count_1h"] = float(count_1h)
    features["small_1h"] = float(small_1h)
    features["declined_1h"] = float(declined_1h)
    features["declined_1d"] = float(declined_1d)
    since_ms = at_ms - 14 * DAY_MS
    features["large_14d"] = float(
        len([1 for then in customer["large"] if since_ms < then <= at_ms])
    )
    if customer["recent"]:
        features["since_last_s"] = max(at_ms - customer["recent"][-1]["at_ms"], 0) / 1000.0


def _add_novelty(
    features: dict[str, float], event: Transaction, customer: Value, at_ms: int
) -> None:
    if event.device_id is not None and customer["devices"]:
        features["new_device"] = _newness(event.device_id, customer["devices"], at_ms)
    if event.country is not None and customer["countries"]:
        features["new_country"] = _newness(event.country, customer["countries"], at_ms)
    place = event.merchant_id or event.terminal_id
    if place is not None and customer["places"]:
        features["new_merchant"] = 0.0 if place in customer["places"] else 1.0


def _newness(name: str, known: Sequence[Sequence[Any]], at_ms: int) -> float:
    """Tell whether a name came up less than a day ago, though others were known before it.

    A thief's device is known after his first payment, and still new.
    """
    for other, first_ms in known:
        if other == name:
            if first_ms <= at_ms - DAY_MS:
                return 0.0
            return 1.0 if any(earlier_ms < first_ms for _, earlier_ms in known) else 0.0
    return 1.0


def _add_frauds(features: dict[str, float], customer: Value, at_ms: int) -> None:
    frauds = customer["frauds"]
    known = [then for _, then, known_ms in frauds if known_ms <= at_ms and then <= at_ms]
    features["customer_frauds"] = float(len(known))
    if known:
        features["customer_fraud_age_d"] = (at_ms - max(known)) / DAY_MS
        large = customer["large"]
        features["customer_large_frauds"] = float(sum(then in large for then in known))
