import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_desk import Desk, alerting_desk, policy_with

from models.features.catalogue import TICKET_FEATURES, TRANSACTION_FEATURES
from models.learners.quantile_logistic import sigmoid
from models.learning import Learners
from models.usual import ENOUGH
from schemas.codec import encode
from schemas.decisions import (
    FEEDBACK_DECISION,
    TICK_DECISION,
    TICKET_DECISION,
    TRANSACTION_DECISION,
)
from schemas.errors import RejectedError
from schemas.outputs import ALERT, LESSON, PRIORITY_CHANGE, QUESTION

_SHAPES = {
    "ticket": TICKET_DECISION,
    "transaction": TRANSACTION_DECISION,
    "feedback": FEEDBACK_DECISION,
    "tick": TICK_DECISION,
}
_OUTPUTS = {
    "support.priorities.v1": PRIORITY_CHANGE,
    "support.questions.v1": QUESTION,
    "risk.alerts.v1": ALERT,
    "desk.lessons.v1": LESSON,
}

ids = st.integers(0, 5)
steps = st.one_of(
    st.tuples(
        st.just("transaction"),
        ids,
        st.floats(0, 900),
        st.sampled_from(["approved", "declined", "reversed"]),
        st.sampled_from([None, "d1", "d2"]),
    ),
    st.tuples(
        st.just("open"), ids, st.sampled_from(["card stolen!", "卡被盗刷了", "how do I pay"])
    ),
    st.tuples(st.just("message"), ids, st.sampled_from(["UNACCEPTABLE!!!", "谢谢", "urgent"])),
    st.tuples(st.just("status"), ids, st.sampled_from(["waiting_customer", "open", "on_hold"])),
    st.tuples(st.just("close"), ids),
    st.tuples(st.just("label"), ids, st.booleans()),
    st.tuples(st.just("category"), ids, st.sampled_from(["card", "app"])),
    st.tuples(st.just("mood"), ids, st.sampled_from(["angry", "pleased"])),
    st.tuples(st.just("verdict"), ids, st.sampled_from(["confirmed", "refuted", "inconclusive"])),
    st.tuples(st.just("override"), ids, st.sampled_from(["P1", "P5"]), st.integers(1, 400)),
    st.tuples(st.just("tick"), st.integers(0, 12_000)),
    st.tuples(st.just("repeat")),
)
histories = st.lists(st.tuples(st.floats(0, 300), st.floats(-40, 4), steps), max_size=40)


def play(desk: Desk, history: list[Any]) -> None:
    minutes = 0.0
    for gap, shift, step in history:
        minutes += gap
        customer = {"customer_id": f"c{step[1] % 2}"} if len(step) > 1 else {}
        at: dict[str, Any] = {"minutes": minutes + shift, "late": -shift}
        match step:
            case ("transaction", i, amount, outcome, device):
                desk.transaction(
                    **at, amount=amount, outcome=outcome, device_id=device,
                    transaction_id=f"s{i}", terminal_id="x", **customer,
                )  # fmt: skip
            case ("open", i, text):
                desk.ticket(**at, ticket_id=f"k{i}", text=text, transaction_ids=["s1"], **customer)
            case ("message", i, text):
                desk.ticket(**at, ticket_id=f"k{i}", type="ticket.message", text=text, **customer)
            case ("status", i, status):
                desk.take(
                    "ticket", **at, type="ticket.status_changed", ticket_id=f"k{i}",
                    status=status, **customer,
                )  # fmt: skip
            case ("close", i):
                desk.take("ticket", **at, type="ticket.closed", ticket_id=f"k{i}", **customer)
            case ("label", i, fraud):
                desk.feedback(
                    **at, what="transaction", transaction_id=f"s{i}", is_fraud=fraud, **customer
                )
            case ("category", i, category):
                desk.feedback(**at, what="ticket", ticket_id=f"k{i}", category=category, **customer)
            case ("mood", i, mood):
                desk.feedback(**at, what="ticket", ticket_id=f"k{i}", mood=mood, **customer)
            case ("verdict", i, verdict):
                alerts = desk.alerts[i : i + 1]
                name = alerts[0]["id"] if alerts else "none"
                owner = alerts[0]["customer_id"] if alerts else "c0"
                desk.feedback(**at, what="alert", alert_id=name, verdict=verdict, customer_id=owner)
            case ("override", i, priority, hold):
                desk.feedback(
                    **at, what="priority_override", ticket_id=f"k{i}", priority=priority,
                    expires_at=desk.at(minutes + shift + hold), **customer,
                )  # fmt: skip
            case ("tick", ahead):
                while (record := desk.tick(minutes + ahead)) and record["decision"]["full"]:
                    pass
            case _:
                desk.transaction(**at, event_id="e0", transaction_id="s0", customer_id="c0")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_fold_equals_live_and_every_record_keeps_its_shape(history: list[Any]) -> None:
    desk = alerting_desk(
        lessons__implicit_share=0.7, lessons__ticket_share=0.5, asking__share=0.5,
        alerts__dedup_hours=1, tick_items=3,
    )  # fmt: skip
    play(desk, history)
    assert desk.state == desk.folded
    for record in desk.records:
        assert b"NaN" not in encode(record)
        if record["kind"] in _SHAPES:
            shape = _SHAPES[record["kind"]]
            assert shape.validate_python(record["decision"]) == record["decision"]
        for index, effect in enumerate(record.get("effects", [])):
            value = effect["value"]
            assert value["id"] == f"0/{record['number']}/{index}"
            assert _OUTPUTS[effect["topic"]].validate_python(value) == value


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_reasons_add_up_to_the_score(history: list[Any]) -> None:
    desk = alerting_desk()
    play(desk, history)
    for record in desk.records:
        decision = record.get("decision", {})
        for assessment in decision.get("tickets", []):
            total = sum(reason["contribution"] for reason in assessment["reasons"])
            assert round(total, 2) == assessment["score"]
            assert 0.0 <= assessment["score"] <= 100.0
        if record["kind"] == "transaction":
            total = math.fsum(reason["contribution"] for reason in decision["reasons"])
            assert decision["reason_space"] == "log_odds"
            assert sigmoid(total) == pytest.approx(decision["score"], abs=1e-6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_priority_changes_follow_each_other_without_gap(history: list[Any]) -> None:
    desk = alerting_desk()
    play(desk, history)
    last: dict[str, str | None] = {}
    for change in desk.priorities:
        assert change["priority"] != change["previous"]
        if change["previous"] is not None:
            assert last[change["ticket_id"]] == change["previous"]
        last[change["ticket_id"]] = change["priority"]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 5),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 2_500), st.integers(200, 9_000)), max_size=40),
)
def test_alert_budget_of_a_day_is_never_exceeded(
    budget: int, partition_count: int, bursts: list[tuple[int, int]]
) -> None:
    desk = alerting_desk(alert_budget_per_day=budget, alerts__percentile=0.5)
    desk.partition_count = partition_count
    for minutes, amount in bursts:
        desk.transaction(minutes, amount, late=2_500 - minutes, customer_id=f"c{minutes % 17}")
    by_day: dict[str, int] = {}
    for alert in desk.alerts:
        day = alert["occurred_at"][:10]
        by_day[day] = by_day.get(day, 0) + 1
    assert all(count <= -(-budget // partition_count) for count in by_day.values())
    sent = sum(record["decision"]["alert"] for record in desk.records)
    assert sent == len(desk.alerts)


def test_deciding_again_gives_the_same_bytes() -> None:
    first, second = alerting_desk(), alerting_desk()
    for desk in (first, second):
        desk.ticket(1, text="I did not make this payment of 500 EUR!")
        desk.transaction(2, 700, transaction_id="t")
        desk.feedback(3, "transaction", transaction_id="t", is_fraud=True)
    assert [encode(record) for record in first.records] == [
        encode(record) for record in second.records
    ]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_every_feature_is_in_the_catalogue(history: list[Any]) -> None:
    desk = alerting_desk()
    play(desk, history)
    for kind, catalogue in (("ticket", TICKET_FEATURES), ("transaction", TRANSACTION_FEATURES)):
        every = {feature.name for feature in catalogue}
        always = {feature.name for feature in catalogue if not feature.optional}
        for record in desk.records:
            if record["kind"] == kind and record["features"]:
                assert always <= set(record["features"]) <= every


def test_every_feature_of_the_catalogue_is_extracted_where_it_is_known() -> None:
    desk = Desk(policy=policy_with(lessons__implicit_share=1.0, lessons__anomaly_share=1.0))
    known = {"terminal_id": "x", "device_id": "d", "country": "DE", "merchant_id": "m"}
    for _ in range(ENOUGH):
        desk.transaction(-24 * 60, 20, customer_id="o")
    for minute, transaction_id in enumerate("tu"):
        desk.transaction(minute, 20, transaction_id=transaction_id, **known)
        desk.feedback(10, "transaction", transaction_id=transaction_id, is_fraud=True)
    record = desk.transaction(20, 20, **known)
    assert set(record["features"]) == {feature.name for feature in TRANSACTION_FEATURES}
    record = desk.ticket(30)
    assert set(record["features"]) == {feature.name for feature in TICKET_FEATURES}


def test_same_event_id_at_another_position_is_a_duplicate_for_seven_days() -> None:
    desk = Desk()
    desk.transaction(0, transaction_id="t", event_id="same")
    again = desk.transaction(60 * 24 * 6, transaction_id="t", event_id="same")
    assert (again["kind"], again["first"]) == ("duplicate", "transaction/0/0")
    assert "effects" not in again
    assert desk.transaction(60 * 24 * 8, event_id="same")["kind"] == "transaction"
    other = desk.transaction(60 * 24 * 8, event_id="same", tenant="other")
    assert other["kind"] == "transaction"


@pytest.mark.parametrize(("late", "refused"), [(-4.9, False), (-5.1, True)])
def test_event_more_than_five_minutes_ahead_of_publishing_is_refused(
    late: float, refused: bool
) -> None:
    desk = Desk()
    if refused:
        with pytest.raises(RejectedError, match="5 minutes"):
            desk.transaction(10, late=late)
    else:
        assert desk.transaction(10, late=late)["kind"] == "transaction"


def test_feedback_known_only_later_is_refused() -> None:
    desk = Desk()
    with pytest.raises(RejectedError, match="known_at"):
        desk.feedback(10, "transaction", transaction_id="t", is_fraud=True, known_at=desk.at(20))


def test_deciding_changes_nothing() -> None:
    desk = alerting_desk()
    before = encode([[list(key), value] for key, value in desk.state.rooms.items()])
    learned = Learners().content_digest()
    desk.learners = Learners()
    calls: list[object] = []
    desk.write = calls.append  # type: ignore[assignment, method-assign, return-value]
    desk.transaction(5, 900)
    desk.ticket(5)
    assert len(calls) == 2
    assert encode([[list(key), value] for key, value in desk.state.rooms.items()]) == before
    assert desk.learners.content_digest() == learned
