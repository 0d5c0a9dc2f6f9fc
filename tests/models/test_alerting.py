import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_desk import Desk, alerting_desk, policy_with

from models.alerting import classify
from models.learners.quantile_logistic import sigmoid
from models.ledger import fold_score, percentile
from models.policy import POLICY_V1, Policy
from schemas.errors import MisconfiguredError


def test_alert_carries_score_reasons_and_evidence() -> None:
    desk = alerting_desk()
    desk.transaction(0, 20, outcome="declined")
    record = desk.transaction(5, 800, event_id="bad")
    (alert,) = desk.alerts
    assert alert["id"] == record["decision"]["alert_id"]
    assert (alert["score_kind"], alert["amount_minor"]) == ("risk", 80_000)
    assert alert["percentile"] >= 0.99
    assert [item["event_id"] for item in alert["evidence"]] == ["bad", "e120"]
    assert alert["entity"] == "customer:c"


def test_same_customer_and_typology_repeats_until_the_hours_have_passed() -> None:
    desk = alerting_desk()
    first = desk.transaction(0, 800)["decision"]
    second = desk.transaction(60, 800)["decision"]
    assert (second["alert"], second["suppressed"]) == (False, "repeat")
    assert second["suppressed_by"] == first["alert_id"]
    assert second["typology"] == first["typology"]
    desk.transaction(60 * 25, 20)
    assert desk.transaction(60 * 25, 800)["decision"]["suppressed"] is None


def test_budget_leaves_a_reserve_for_high_severities() -> None:
    desk = alerting_desk(alert_budget_per_day=5, alerts__percentile=0.9)
    small = [desk.transaction(1, 90, customer_id=f"s{i}")["decision"] for i in range(6)]
    assert {d["severity"] for d in small} <= {"low", "medium"}
    assert [d["suppressed"] for d in small] == [None] * 4 + ["reserved"] * 2
    large = [desk.transaction(2, 9_000, customer_id=f"l{i}")["decision"] for i in range(2)]
    assert [d["severity"] for d in large] == ["critical", "critical"]
    assert [d["suppressed"] for d in large] == [None, "budget"]
    assert large[0]["budget_left"] == 0


def test_no_alert_before_the_histogram_is_warm() -> None:
    desk = alerting_desk(alerts__warm_up=121, alerts__sure_threshold=1, alerts__percentile=0.9)
    assert not desk.transaction(0, 800)["decision"]["alert"]
    assert desk.transaction(1, 800)["decision"]["alert"]


def test_sure_score_alerts_however_few_others_are_known() -> None:
    desk = alerting_desk(alerts__warm_up=10_000)
    assert not desk.transaction(0, 90)["decision"]["alert"]
    sure = desk.transaction(1, 800)["decision"]
    assert sure["alert"]
    assert sure["suspicious"]
    assert not desk.transaction(2, 800, customer_id="r", outcome="reversed")["decision"]["alert"]


def test_score_comes_from_the_scorecard_until_a_fraud_was_learned() -> None:
    desk = Desk(
        policy=policy_with(
            lessons__anomaly_share=1.0, lessons__implicit_share=1.0, alerts__blend_frauds=300
        )
    )
    desk.learners.anomaly.__init__(window_size=30)  # type: ignore[misc]  # a small window
    for i in range(60):
        desk.transaction(i, 10 + i % 9, customer_id=f"c{i % 7}")
    before = desk.transaction(61, 5_000, transaction_id="t")["decision"]
    assert (before["score_kind"], before["risk"]) == ("anomaly", None)
    assert before["anomaly"] > 0.9
    assert {reason["name"] for reason in before["reasons"]} >= {"(prior)", "amount"}
    total = math.fsum(reason["contribution"] for reason in before["reasons"])
    assert sigmoid(total) == pytest.approx(before["score"], abs=1e-12)
    desk.feedback(62, "transaction", transaction_id="t", is_fraud=True)
    after = desk.transaction(63, 20)["decision"]
    assert after["score_kind"] == "risk"
    assert 0.0 < after["risk"] < 1.0
    (prior,) = [r["contribution"] for r in after["reasons"] if r["name"] == "(prior)"]
    assert prior == pytest.approx(desk.policy.alerts.scorecard.base * 300 / 301)
    total = math.fsum(reason["contribution"] for reason in after["reasons"])
    assert sigmoid(total) == pytest.approx(after["score"], abs=1e-9)


_BASE = {"amount": 50.0, "declined_1h": 0.0, "count_1h": 0.0, "large_14d": 0.0}


@pytest.mark.parametrize(
    ("features", "typology"),
    [
        ({"declined_1h": 3.0}, "card_testing"),
        ({"amount": 2.0, "count_1h": 5.0}, "card_testing"),
        ({"terminal_label": 1.0, "terminal_last_fraud_age_d": 9.0}, "compromised_terminal"),
        ({"new_device": 1.0, "amount_ratio": 4.0}, "account_takeover"),
        ({"large_14d": 2.0, "amount_ratio": 2.5}, "stolen_card"),
        ({"customer_fraud_age_d": 8.0}, "stolen_card"),
        ({"new_device": 1.0, "amount_ratio": 1.0}, "unusual_amount"),
    ],
)
def test_typology_follows_the_features(features: dict[str, float], typology: str) -> None:
    rules = Policy.from_content(POLICY_V1).alerts
    assert classify(_BASE | features, rules) == typology


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0, 1))
def test_percentile_counts_scores_that_lie_clearly_below(scores: list[float], score: float) -> None:
    ledger: Any = None
    for other in scores:
        ledger = fold_score(ledger, other, False, 0)
    share, count = percentile(ledger, score)
    assert count == len(scores)
    below = sum(other < score * 0.7 - 1e-4 for other in scores) / count
    assert below - 0.02 <= share <= 1.0
    assert percentile(None, score) == (0.5, 0)


def test_policy_names_every_fault_at_once() -> None:
    with pytest.raises(MisconfiguredError) as caught:
        policy_with(
            alert_budget_per_day=-1,
            priority__weights__age=50,
            priority__matrix=[["P9"]],
            alerts__percentile=float("inf"),
            priority__impact_points__money=[[5, 1], [3, 2]],
        )
    for name in ("alert_budget_per_day", "weights", "matrix", "alerts.percentile", "money"):
        assert name in str(caught.value)


def test_policy_digest_covers_content_not_order() -> None:
    turned = dict(reversed(POLICY_V1.items()))
    assert Policy.from_content(turned).digest == Policy.from_content(POLICY_V1).digest
    assert policy_with(version=2).digest != Policy.from_content(POLICY_V1).digest


def test_policy_compares_amounts_in_one_currency() -> None:
    policy = Policy.from_content(POLICY_V1)
    assert policy.amount(12_345, "EUR") == 123.45
    assert policy.amount(10_000, "JPY") == 60.0
    assert policy.amount(100, "XXX") == 1.0


def test_policy_put_in_force_is_part_of_the_state() -> None:
    desk = Desk()
    record = desk.put_policy({**POLICY_V1, "version": 2})
    assert desk.state.get("policy", "") == record["content"]
    assert record["policy"] == Policy.from_content(record["content"]).digest
    with pytest.raises(MisconfiguredError):
        desk.put_policy({})
