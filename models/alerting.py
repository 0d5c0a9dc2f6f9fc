"""Whether a transaction becomes an alert: thresholds, typology, severity, budget, repeats."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

from models.context import Context
from models.ledger import alerts_used, percentile, share_of_budget
from models.policy import AlertRules
from models.scoring import Score
from models.state import Value
from schemas.decisions import Suppression, Typology
from schemas.outputs import Severity
from schemas.transactions import Transaction

_SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")


def judge(
    event: Transaction,
    occurred_ms: int,
    amount: float,
    features: Mapping[str, float],
    score: Score,
    customer: Value | None,
    context: Context,
    next_id: str,
) -> dict[str, Any]:
    """Give the fields of a transaction decision that say whether it alerts, and why (not)."""
    rules = context.policy.alerts
    ledger = context.state.get("ledger", "")
    share, count = percentile(ledger, score.score)
    warm, sure = count >= rules.warm_up, score.score >= rules.sure_threshold
    stands_out = warm and share >= rules.percentile and score.score >= rules.thresholds[score.kind]
    wanted = event.outcome != "reversed" and (sure or stands_out)
    risky = sure or (warm and share >= rules.risky_percentile)
    stamp = context.stamp
    budget = share_of_budget(
        context.policy.alert_budget_per_day, stamp.partition, stamp.partition_count
    )
    used = alerts_used(ledger, occurred_ms)
    left = 0 if used is None else max(budget - used, 0)
    found: dict[str, Any] = {
        "percentile": share,
        "suspicious": event.outcome == "declined" or risky or wanted,
        "alert": False,
        "alert_id": None,
        "suppressed": None,
        "suppressed_by": None,
        "severity": None,
        "typology": None,
        "entity": None,
        "case_key": None,
        "dedup_key": None,
        "budget_left": left,
    }
    if not wanted:
        return found
    typology = classify(features, rules)
    severity = grade(score, amount, rules)
    entity = _entity(event, typology)
    suppressed, by = _suppression(customer, typology, severity, occurred_ms, left, budget, rules)
    sent = suppressed is None
    return found | {
        "alert": sent,
        "alert_id": next_id if sent else None,
        "suppressed": suppressed,
        "suppressed_by": by,
        "severity": severity,
        "typology": typology,
        "entity": entity,
        "case_key": f"{event.tenant}/{entity}/{typology}",
        "dedup_key": f"{event.tenant}/{event.customer_id}/{typology}",
        "budget_left": left - sent,
    }


def classify(features: Mapping[str, float], rules: AlertRules) -> Typology:
    """Name the kind of fraud that the features look like; the first rule that fits wins."""
    limit = rules.typology
    get = features.get
    small = features["amount"] <= limit["small_amount"]
    if features["declined_1h"] >= limit["testing_declined_1h"] or (
        small and features["count_1h"] >= limit["testing_count_1h"]
    ):
        return "card_testing"
    fraud_age_d = get("terminal_last_fraud_age_d")
    if get("terminal_label") == 1.0 and (
        fraud_age_d is not None and fraud_age_d <= limit["terminal_fraud_age_d"]
    ):
        return "compromised_terminal"
    ratio = get("amount_ratio", 0.0)
    stranger = get("new_device") == 1.0 or get("new_country") == 1.0
    if stranger and ratio >= limit["takeover_ratio"]:
        return "account_takeover"
    customer_age_d = get("customer_fraud_age_d")
    if (ratio >= limit["stolen_ratio"] and features["large_14d"] >= limit["stolen_large_14d"]) or (
        customer_age_d is not None and customer_age_d <= limit["customer_fraud_age_d"]
    ):
        return "stolen_card"
    return "unusual_amount"


def grade(score: Score, amount: float, rules: AlertRules) -> Severity:
    """Give the severity: steps of score and steps of amount, together 0 to 6."""
    steps = bisect_right(rules.severity[score.kind], score.score)
    steps += bisect_right(rules.severity["amount"], amount)
    return _SEVERITIES[min((steps + 1) // 2, 3)]


def _entity(event: Transaction, typology: Typology) -> str:
    """Name what an analyst has to look into."""
    if typology == "compromised_terminal" and event.terminal_id is not None:
        return f"terminal:{event.terminal_id}"
    if typology in ("card_testing", "stolen_card") and event.card is not None:
        return f"card:{event.card}"
    return f"customer:{event.customer_id}"


def _suppression(
    customer: Value | None,
    typology: Typology,
    severity: Severity,
    occurred_ms: int,
    left: int,
    budget: int,
    rules: AlertRules,
) -> tuple[Suppression | None, str | None]:
    for earlier, at_ms, alert_id in reversed(() if customer is None else customer["alerts"]):
        if earlier == typology and abs(occurred_ms - at_ms) < rules.dedup_ms:
            return "repeat", alert_id
    if left <= 0:
        return "budget", None
    if severity in ("low", "medium") and left <= int(budget * rules.reserved_share):
        return "reserved", None
    return None, None
