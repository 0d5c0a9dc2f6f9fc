import pytest
from memory_desk import Desk, alerting_desk, policy_with

from models.knowledge import NOTHING, Knowledge
from schemas.errors import RejectedError

DAY = 60 * 24


def labelled(desk: Desk, task: str) -> list[dict[str, object]]:
    return [lesson for lesson in desk.lessons if lesson["task"] == task]


def test_feedback_meets_the_features_it_was_decided_on() -> None:
    desk = Desk()
    decided = desk.transaction(0, 40, transaction_id="t", terminal_id="x")
    desk.transaction(1, 900)
    record = desk.feedback(DAY, "transaction", transaction_id="t", is_fraud=True)
    (lesson,) = labelled(desk, "risk")
    assert lesson["features"] == decided["features"]
    assert (lesson["decision_id"], lesson["label"]) == ("0/0", True)
    assert (lesson["occurred_ms"], lesson["known_ms"]) == (desk.ms(0), desk.ms(DAY))
    assert record["decision"]["outcome"] == "applied"


def test_feedback_before_its_transaction_waits_for_it() -> None:
    desk = Desk()
    early = desk.feedback(0, "transaction", transaction_id="t", is_fraud=True)
    assert early["decision"]["outcome"] == "parked"
    assert early["effects"] == []
    record = desk.transaction(5, 40, transaction_id="t")
    (lesson,) = labelled(desk, "risk")
    assert lesson["decision_id"] == "0/1"
    assert record["decision"]["unparked"] == 1
    assert desk.state.get("parked", "transaction/default/t") is None
    assert desk.state.rooms["customer", "default/c"]["frauds"]


def test_feedback_before_its_ticket_waits_for_it() -> None:
    desk = Desk()
    desk.feedback(0, "ticket", ticket_id="k", category="cards", urgency="critical")
    record = desk.ticket(5)
    assert [label["task"] for label in record["decision"]["labels"]] == ["category", "urgency"]
    assert record["decision"]["tickets"][0]["base_urgency"] == "critical"
    assert labelled(desk, "category")[0]["text"] == "where is my card"


def test_parked_feedback_of_another_customer_is_not_applied() -> None:
    desk = Desk()
    desk.feedback(0, "transaction", transaction_id="t", is_fraud=True, customer_id="other")
    desk.transaction(5, transaction_id="t")
    assert labelled(desk, "risk") == []


def test_parked_feedback_is_dropped_after_its_time() -> None:
    desk = Desk(policy=policy_with(park_days=2))
    desk.feedback(0, "transaction", transaction_id="t", is_fraud=True)
    assert desk.tick(2 * DAY - 1) is None
    record = desk.tick(2 * DAY)
    assert record is not None
    assert record["decision"]["dropped"] == ["transaction/default/t"]
    assert desk.state.get("parked", "transaction/default/t") is None


def test_label_that_changes_gives_a_correcting_lesson() -> None:
    desk = Desk()
    desk.transaction(0, transaction_id="t")
    outcomes = [
        desk.feedback(minute, "transaction", transaction_id="t", is_fraud=fraud)["decision"][
            "labels"
        ][0]["outcome"]
        for minute, fraud in ((10, True), (11, True), (12, False))
    ]
    first, second = labelled(desk, "risk")
    assert outcomes == ["learned", "repeated", "corrected"]
    assert (first["corrects"], second["corrects"]) == (None, first["id"])
    assert desk.state.rooms["customer", "default/c"]["frauds"] == []


def test_older_label_that_comes_late_is_outdated() -> None:
    desk = Desk()
    desk.transaction(0, transaction_id="t")
    desk.feedback(20, "transaction", transaction_id="t", is_fraud=True)
    record = desk.feedback(10, "transaction", transaction_id="t", is_fraud=False, late=20)
    assert record["decision"]["labels"][0]["outcome"] == "outdated"
    assert record["decision"]["outcome"] == "ignored"


def test_unlabelled_sampled_transaction_matures_to_an_implicit_negative() -> None:
    desk = Desk(policy=policy_with(lessons__implicit_share=0.5, lessons__anomaly_share=0))
    for i in range(40):
        desk.transaction(i, transaction_id=f"s{i}")
    sampled = [r for r in desk.records if r["decision"]["sampled"]]
    assert 8 <= len(sampled) <= 32
    told = sampled[0]["decision"]["transaction_id"]
    desk.feedback(60, "transaction", transaction_id=told, is_fraud=True)
    early = desk.tick(7 * DAY + 59)
    assert early is not None
    assert early["decision"]["done"] == []  # it reports on the learners
    record = desk.tick(7 * DAY + 60 + 40)
    assert record is not None
    assert record["decision"]["matured"] == len(sampled) - 1
    lesson = desk.lessons[-1]
    assert (lesson["label"], lesson["label_source"], lesson["propensity"]) == (
        False,
        "implicit",
        0.5,
    )
    assert lesson["known_ms"] == lesson["occurred_ms"] + 169 * 3_600_000


def test_fraud_known_after_maturing_corrects_the_implicit_negative() -> None:
    desk = Desk(policy=policy_with(lessons__implicit_share=1.0))
    desk.transaction(0, transaction_id="t")
    desk.tick(8 * DAY)
    implicit = desk.lessons[-1]
    desk.feedback(9 * DAY, "transaction", transaction_id="t", is_fraud=True)
    assert desk.lessons[-1]["corrects"] == implicit["id"]


def test_verdict_on_an_alert_teaches_and_is_remembered() -> None:
    desk = alerting_desk()
    alert_id = desk.transaction(0, 800, transaction_id="t")["decision"]["alert_id"]
    unsure = desk.feedback(5, "alert", alert_id=alert_id, verdict="inconclusive")
    assert unsure["decision"]["labels"] == []
    record = desk.feedback(10, "alert", alert_id=alert_id, verdict="confirmed")
    assert labelled(desk, "risk")[-1]["label"] is True
    assert desk.state.rooms["alert", alert_id]["verdict"] == "confirmed"
    assert record["decision"]["alert_occurred_ms"] == desk.ms(0)
    again = desk.feedback(11, "alert", alert_id=alert_id, verdict="confirmed")
    assert again["decision"]["outcome"] == "ignored"


def test_verdict_on_an_unknown_alert_is_recorded_as_unknown() -> None:
    record = Desk().feedback(0, "alert", alert_id="0/99/0", verdict="refuted")
    assert (record["decision"]["outcome"], record["effects"]) == ("unknown", [])


def test_feedback_about_a_forgotten_transaction_is_unknown() -> None:
    desk = Desk(policy=policy_with(remember_days=10))
    desk.transaction(0, transaction_id="t")
    record = desk.feedback(11 * DAY, "transaction", transaction_id="t", is_fraud=True)
    assert (record["decision"]["outcome"], record["effects"]) == ("unknown", [])


def test_feedback_about_another_customers_transaction_is_refused() -> None:
    desk = Desk()
    desk.transaction(0, transaction_id="t")
    with pytest.raises(RejectedError, match="another customer"):
        desk.feedback(1, "transaction", transaction_id="t", is_fraud=True, customer_id="d")


def test_reversal_is_not_a_second_subject() -> None:
    desk = Desk(policy=policy_with(lessons__implicit_share=1.0))
    desk.transaction(0, transaction_id="t")
    record = desk.transaction(5, transaction_id="t", outcome="reversed")
    assert record["decision"]["repeated"]
    assert desk.state.rooms["customer", "default/c"]["count"] == 1
    assert desk.tick(8 * DAY) is not None
    assert len(labelled(desk, "risk")) == 1


def test_knowledge_is_invisible_before_it_became_known() -> None:
    desk = Desk()
    desk.transaction(0, transaction_id="t", terminal_id="x")
    desk.feedback(DAY, "transaction", transaction_id="t", is_fraud=True)
    late = desk.transaction(DAY - 1, customer_id="d", terminal_id="x", late=10)
    assert "terminal_label" not in late["features"]
    own = desk.transaction(DAY - 1, late=10)
    assert own["features"]["customer_frauds"] == 0.0
    after = desk.transaction(DAY + 1, customer_id="d", terminal_id="x")
    assert after["features"]["terminal_label"] == 1.0
    assert after["features"]["terminal_fraud_run"] == 1.0


def test_knowledge_of_a_terminal_counts_runs_and_corrections() -> None:
    knowledge = Knowledge()
    for i, fraud in enumerate([True, False, True, True]):
        knowledge.learn("t", "x", f"s{i}", fraud, 100 * i, 1_000 + i)
    facts = knowledge.facts("t", "x", 2_000)
    assert (facts.label, facts.fraud_run) == (True, 2)
    assert (facts.first_fraud_ms, facts.last_fraud_ms) == (0, 300)
    knowledge.learn("t", "x", "s3", False, 300, 3_000)
    assert knowledge.facts("t", "x", 3_000).fraud_run == 0
    assert knowledge.facts("t", "x", 2_999) == facts
    assert knowledge.facts("t", "x", 999) == NOTHING
    assert knowledge.facts("other", "x", 3_000) == NOTHING


def test_knowledge_stays_bounded_and_keeps_the_first_fraud() -> None:
    knowledge = Knowledge(terminals=3)
    for i in range(200):
        knowledge.learn("t", "x", f"s{i}", i % 3 == 0, i, i)
    assert knowledge.facts("t", "x", 500).first_fraud_ms == 0
    for i in range(5):
        knowledge.learn("t", f"y{i}", "s", True, 1, 1)
    assert knowledge.facts("t", "x", 500) == NOTHING
