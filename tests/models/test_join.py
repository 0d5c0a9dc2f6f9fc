from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_desk import Desk, alerting_desk, policy_with

from schemas.errors import RejectedError


def priority_of(desk: Desk, ticket_id: str = "k") -> str:
    ticket = desk.state.get("ticket", f"default/{ticket_id}")
    assert ticket is not None
    priority: str = ticket["priority"]
    return priority


@pytest.mark.parametrize(
    "text", ["how do I change my name", "my app fails", "urgent: card is blocked", "card stolen"]
)
def test_alert_raises_the_open_tickets_of_its_customer_only(text: str) -> None:
    desk = alerting_desk()
    desk.ticket(0, "k", text=text)
    desk.ticket(0, "other", text=text, customer_id="d")
    before, score = priority_of(desk), desk.priorities[-2]["score"]
    record = desk.transaction(5, 800)
    assert record["decision"]["alert"]
    (change,) = [e["value"] for e in record["effects"] if e["topic"] == "support.priorities.v1"]
    assert change["ticket_id"] == "k"
    assert (change["previous"], change["priority"]) == (before, priority_of(desk))
    assert change["priority"] < before
    assert change["score"] > score
    assert change["cause"] == "transaction.alerted"
    assert desk.alerts[-1]["open_ticket_ids"] == ["k"]
    assert priority_of(desk, "other") == before


def test_declined_transaction_raises_the_score() -> None:
    desk = alerting_desk()
    desk.ticket(0)
    record = desk.transaction(5, 20, outcome="declined")
    (assessment,) = record["decision"]["tickets"]
    assert assessment["cause"] == "transaction.declined"
    assert assessment["score"] > desk.priorities[0]["score"]
    assert "customer_declined" in {reason["name"] for reason in assessment["reasons"]}


def test_ordinary_transaction_leaves_tickets_alone() -> None:
    desk = alerting_desk()
    desk.ticket(0)
    assert desk.transaction(5, 10)["decision"]["tickets"] == []


def test_ticket_after_an_alert_starts_higher() -> None:
    calm, alarmed = alerting_desk(), alerting_desk()
    assert alarmed.transaction(0, 800)["decision"]["alert"]
    assert not calm.transaction(0, 20)["decision"]["alert"]
    for desk in (calm, alarmed):
        desk.ticket(10)
    assert priority_of(alarmed) < priority_of(calm)
    assert alarmed.priorities[-1]["score"] > calm.priorities[-1]["score"]


def test_refuted_alert_lets_the_ticket_down_again() -> None:
    desk = alerting_desk()
    desk.ticket(0)
    first = priority_of(desk)
    alert_id = desk.transaction(5, 800)["decision"]["alert_id"]
    assert priority_of(desk) < first
    record = desk.feedback(10, "alert", alert_id=alert_id, verdict="refuted")
    assert priority_of(desk) == first
    assert record["decision"]["typology"] == "unusual_amount"
    assert desk.priorities[-1]["cause"] == "feedback.alert"


def test_named_transactions_count_also_when_they_come_later() -> None:
    desk = alerting_desk()
    desk.ticket(0, transaction_ids=["named"])
    record = desk.transaction(5, 60, transaction_id="named")
    (assessment,) = record["decision"]["tickets"]
    money = {r["name"]: r.get("value") for r in assessment["reasons"]}["money_at_stake"]
    assert money == 60.0


def test_tenants_do_not_meet() -> None:
    desk = alerting_desk()
    desk.ticket(0, tenant="a/b")
    assert desk.transaction(5, 800, tenant="a")["decision"]["tickets"] == []
    assert len(desk.transaction(6, 800, tenant="a/b")["decision"]["tickets"]) == 1


@given(st.sampled_from(["P1", "P3", "P5"]), st.lists(st.integers(1, 2_000), max_size=6))
def test_override_wins_until_it_expires(priority: Any, moments: list[int]) -> None:
    desk = alerting_desk()
    desk.ticket(0)
    own = priority_of(desk)
    desk.feedback(
        1, "priority_override", ticket_id="k", priority=priority, expires_at=desk.at(1_000)
    )
    for minute in sorted(moments):
        before = priority_of(desk)
        desk.transaction(minute, 20, outcome="declined")
        if minute < 1_000:
            assert before == priority_of(desk) == priority
        else:
            assert desk.state.rooms["ticket", "default/k"]["override"] is None
    desk.tick(2_001)
    assert desk.state.rooms["ticket", "default/k"]["override"] is None
    if not moments and own != priority:
        assert desk.priorities[-1]["cause"] == "override_expired"
        assert (desk.priorities[-1]["previous"], desk.priorities[-2]["cause"]) == (
            priority,
            "override",
        )


def test_override_that_comes_before_its_ticket_waits_for_it() -> None:
    desk = Desk()
    record = desk.feedback(
        0, "priority_override", ticket_id="k", priority="P1", expires_at=desk.at(60)
    )
    assert record["decision"]["outcome"] == "parked"
    desk.ticket(5)
    assert priority_of(desk) == "P1"
    assert desk.priorities[-1]["override_until"] is not None


def test_override_that_never_holds_is_refused() -> None:
    desk = Desk()
    desk.ticket(0)
    with pytest.raises(RejectedError, match="never hold"):
        desk.feedback(10, "priority_override", ticket_id="k", priority="P1", expires_at=desk.at(9))


def test_sla_clock_stands_while_waiting_for_the_customer() -> None:
    desk = Desk()
    desk.ticket(0)
    desk.take("ticket", 30, type="ticket.status_changed", ticket_id="k", status="on_hold")
    assert desk.tick(60 * 24 * 30) is None
    record = desk.ticket(500, type="ticket.message", text="any news?")
    (assessment,) = record["decision"]["tickets"]
    assert assessment["sla_used_ms"] == 30 * 60_000
    assert record["decision"]["status"] == "on_hold"


def test_customer_who_answers_starts_the_clock_again() -> None:
    desk = Desk()
    desk.ticket(0)
    desk.take("ticket", 30, type="ticket.status_changed", ticket_id="k", status="waiting_customer")
    record = desk.ticket(90, type="ticket.message", text="here is the form")
    assert record["decision"]["status"] == "in_progress"
    assert record["decision"]["tickets"][0]["next_ms"] is not None


def test_broken_sla_raises_urgency_by_one_step_on_a_tick() -> None:
    desk = Desk()
    desk.ticket(0, text="my app shows an error", customer_tier="premium")
    first = desk.records[-1]["decision"]["tickets"][0]
    minutes = first["sla_ms"] / 60_000
    for share in (0.5, 0.8, 1.0):
        assert desk.tick(share * minutes - 1) is None
        record = desk.tick(share * minutes)
        assert record is not None
        assert not record["decision"]["full"]
    (assessment,) = record["decision"]["tickets"]
    assert (first["urgency"], assessment["urgency"]) == ("medium", "high")
    assert assessment["changed"]
    assert desk.priorities[-1]["cause"] == "tick"
    assert desk.tick(minutes * 100) is None


def test_closing_ends_a_ticket() -> None:
    desk = alerting_desk()
    desk.ticket(0)
    desk.take("ticket", 5, type="ticket.closed", ticket_id="k")
    assert desk.transaction(6, 800)["decision"]["tickets"] == []
    assert desk.tick(60 * 24 * 30) is None or not desk.records[-1]["decision"]["tickets"]
    assert all(entry.kind == "mature" for entry in desk.state.agenda)


def test_ticket_of_another_customer_is_refused() -> None:
    desk = Desk()
    desk.ticket(0)
    with pytest.raises(RejectedError, match="another customer"):
        desk.ticket(1, type="ticket.message", text="hello", customer_id="thief")


def test_message_on_an_unknown_ticket_is_recorded_without_effect() -> None:
    desk = Desk()
    record = desk.ticket(0, type="ticket.message", text="hello")
    assert (record["decision"]["known"], record["effects"]) == (False, [])


def test_tick_handles_at_most_the_policys_items() -> None:
    desk = Desk(policy=policy_with(tick_items=2))
    for i in range(5):
        desk.ticket(0, f"k{i}")
    sizes = []
    while record := desk.tick(60 * 24 * 10):
        sizes.append((len(record["decision"]["done"]), record["decision"]["full"]))
        if len(sizes) > 5:
            break
    assert sizes == [(2, True), (2, True), (1, False)]
