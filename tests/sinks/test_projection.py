from typing import Any

import pytest
from journal_samples import (
    DAY_MS,
    HOUR_MS,
    START_MS,
    TICKETS,
    TRANSACTIONS,
    alert,
    change,
    claim,
    dead,
    duplicate,
    feedback,
    figure,
    lesson,
    policy,
    question,
    rows_of,
    tick,
    ticket,
    transaction,
)

from schemas.decisions import (
    FEEDBACK_DECISION,
    TICK_DECISION,
    TICKET_DECISION,
    TRANSACTION_DECISION,
)
from schemas.errors import IncompatibleError
from schemas.journal import JOURNAL_RECORD
from schemas.outputs import ALERT, LESSON, PRIORITY_CHANGE, QUESTION
from schemas.quality import QUALITY
from sinks.projection import Rows
from sinks.tables import TABLES, TICKET_ADDED


def only_row(rows: Rows, table: str) -> dict[str, Any]:
    columns = dict(rows.tables())[table]
    assert {len(values) for values in columns.values()} == {1}
    return {name: values[0] for name, values in columns.items()}


SAMPLES = [
    ticket(1, 0), transaction(2, 0), feedback(3, 0), tick(4), dead(5, TICKETS, 1),
    duplicate(6, TICKETS, 2), policy(7), claim(4),
]  # fmt: skip


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["kind"])
def test_samples_are_as_the_schemas_say(sample: dict[str, Any]) -> None:
    JOURNAL_RECORD.validate_python(sample)
    decision = {
        "ticket": TICKET_DECISION, "transaction": TRANSACTION_DECISION,
        "feedback": FEEDBACK_DECISION, "tick": TICK_DECISION,
    }.get(sample["kind"])  # fmt: skip
    if decision is not None:
        decision.validate_python(sample["decision"])


def test_sample_outputs_are_as_the_schemas_say() -> None:
    ALERT.validate_python(alert(1)["value"])
    PRIORITY_CHANGE.validate_python(change(1, "T1", "P1")["value"])
    QUESTION.validate_python(question(1, "T1")["value"])
    LESSON.validate_python(lesson())
    QUALITY.validate_python(figure())


def test_every_record_but_a_claim_gives_one_entry() -> None:
    columns = dict(rows_of(*SAMPLES).tables())["journal_entries"]
    assert columns["kind"] == [each["kind"] for each in SAMPLES if each["kind"] != "claim"]
    assert columns["number"] == [1, 2, 3, 4, 5, 6, 7]


def test_rows_are_empty_without_records_and_after_claims_alone() -> None:
    rows = rows_of(claim(1), claim(2))
    assert rows.row_count == 0
    assert list(rows.tables()) == []


def test_row_count_counts_all_tables() -> None:
    rows = rows_of(*SAMPLES)
    assert rows.row_count == sum(
        len(columns["appended_at"]) for _, columns in rows.tables()
    )  # fmt: skip
    assert {name for name, _ in rows.tables()} == {
        "journal_entries", "ticket_decisions", "transaction_decisions", "feedback_decisions",
        "ticks", "dead_letters", "priority_changes",
    }  # fmt: skip


def test_entry_of_a_ticket_tells_where_it_came_from_and_when() -> None:
    assert only_row(rows_of(ticket(5, 17)), "journal_entries") == {
        "journal_partition": 0, "number": 5, "tenant": "default", "customer_id": "ann",
        "event_id": "e5", "occurred_at": START_MS, "published_at": START_MS + 2,
        "decided_at": START_MS + 7, "appended_at": START_MS + 12, "policy": "p" * 32,
        "revision": 40, "journal_offset": 5, "epoch": 3, "writer": "w1", "kind": "ticket",
        "source_topic": TICKETS, "source_partition": 0, "source_offset": 17, "core": "1",
        "learner_digest": "d" * 32, "effect_count": 1, "first_position": "",
    }  # fmt: skip


def test_entry_of_a_tick_has_its_own_time_and_no_source() -> None:
    row = only_row(rows_of(tick(4)), "journal_entries")
    assert row["occurred_at"] == START_MS + HOUR_MS
    assert (row["source_topic"], row["source_partition"], row["source_offset"]) == ("", None, None)
    assert (row["tenant"], row["customer_id"], row["published_at"]) == ("", "", None)


def test_entry_of_a_duplicate_names_the_first() -> None:
    row = only_row(rows_of(duplicate(6, TICKETS, 2)), "journal_entries")
    assert (row["kind"], row["first_position"], row["occurred_at"]) == (
        "duplicate", f"{TICKETS}/0/0", None,
    )  # fmt: skip


def test_ticket_decision_takes_decision_event_and_own_assessment() -> None:
    row = only_row(rows_of(ticket(1, 0)), "ticket_decisions")
    assert row.items() >= {
        "type": "ticket.opened", "ticket_id": "T1", "known": True, "status": "open",
        "channel": "app", "product": "", "language": "zh", "category": "card_lost",
        "category_confidence": 0.75, "urgency": "high", "urgency_confidence": None,
        "urgency_source": "rules", "sentiment": -0.5, "anger": 0.25, "reference_amount": 12.5,
        "opened_at": START_MS, "unparked_count": 1, "amount_minor": 1250, "currency": "EUR",
        "transaction_ids": ["tx1", "tx2"], "priority": "P2", "priority_score": 61.25, "impact": 2,
        "sla_ms": 4 * HOUR_MS, "sla_used_ms": 1000,
        "categories": {"card_lost": 0.75, "refund": 0.125},
        "category_reason_names": ["lost", "rest"], "category_reason_contributions": [1.5, -0.25],
        "urgency_reason_names": ["lost"], "urgency_reason_contributions": [2.0],
        "features": {"amount": 12.5, "hour": 0},
    }.items()  # fmt: skip


def test_ticket_decision_without_assessment_has_no_priority() -> None:
    row = only_row(rows_of(ticket(1, 0, tickets=[], status="closed")), "ticket_decisions")
    assert (row["priority"], row["priority_score"], row["impact"]) == ("", None, None)


def test_transaction_decision_takes_decision_and_payment() -> None:
    row = only_row(rows_of(transaction(2, 0)), "transaction_decisions")
    assert row.items() >= {
        "transaction_id": "tx2", "repeated": False, "outcome": "declined", "score": 0.93,
        "score_kind": "risk", "risk": 0.93, "anomaly": 0.5, "percentile": 0.999,
        "reference_amount": 999.0, "suspicious": True, "alert": False, "alert_id": "",
        "suppressed": "", "budget_left": 17, "reason_space": "log_odds", "sampled": False,
        "propensity": 0.25, "matures_at": START_MS + 7 * DAY_MS, "unparked_count": 0,
        "amount_minor": 99_900, "currency": "EUR", "response_code": "51", "channel": "pos",
        "merchant_id": "", "terminal_id": "term1", "mcc": "", "country": "DE", "region": "",
        "device_id": "", "card": "c1", "assessed_count": 0,
        "reason_names": ["amount_ratio", "bias"], "reason_contributions": [2.5, -4.0],
    }.items()  # fmt: skip


def test_feedback_decision_takes_every_field() -> None:
    row = only_row(rows_of(feedback(3, 0)), "feedback_decisions")
    assert row.items() >= {
        "type": "feedback.alert", "subject_kind": "alert", "subject_id": "0/2/0",
        "outcome": "applied", "source": "investigation", "known_at": START_MS + HOUR_MS,
        "category": "", "satisfaction": None, "is_fraud": None, "verdict": "confirmed",
        "alert_id": "0/2/0", "alert_transaction_id": "tx2", "alert_severity": "high",
        "alert_occurred_at": START_MS, "override": "", "override_until": None, "score": 0.93,
    }.items()  # fmt: skip


def test_tick_counts_what_it_handled() -> None:
    row = only_row(rows_of(tick(4)), "ticks")
    assert row == {
        "journal_partition": 0, "number": 4, "tick_at": START_MS + HOUR_MS,
        "decided_at": START_MS + 7, "appended_at": START_MS + 12, "policy": "p" * 32,
        "revision": 41, "done_count": 1, "is_full": True, "matured_count": 1, "dropped_count": 2,
        "assessed_count": 1,
    }  # fmt: skip


def test_dead_letter_keeps_position_and_reason_and_cuts_the_message() -> None:
    row = only_row(rows_of(dead(5, TRANSACTIONS, 9)), "dead_letters")
    message = row.pop("message")
    assert message.startswith("not JSON xxx")
    assert len(message) == 500
    assert row == {
        "journal_partition": 0, "number": 5, "source_topic": TRANSACTIONS, "source_partition": 0,
        "source_offset": 9, "published_at": START_MS + 2, "decided_at": START_MS + 7,
        "appended_at": START_MS + 12, "stage": "decode", "error": "MalformedError",
        "value_bytes": 700,
    }  # fmt: skip


def test_effects_keep_their_place_and_other_topics_give_no_row() -> None:
    to_learners = {"topic": "desk.lessons.v1", "key": None, "value": lesson()}
    effects = [change(2, "T1", "P1"), to_learners, alert(2, 2), change(2, "T2", "P3", 3)]
    tables = dict(rows_of(transaction(2, 0, effects=effects)).tables())
    assert tables["priority_changes"]["effect_index"] == [0, 3]
    assert tables["priority_changes"]["ticket_id"] == ["T1", "T2"]
    assert tables["alerts"]["effect_index"] == [2]
    assert tables["journal_entries"]["effect_count"] == [4]
    assert "lessons" not in tables


def test_alert_takes_every_field_and_positions_of_evidence() -> None:
    row = only_row(rows_of(transaction(2, 0, effects=[alert(2)])), "alerts")
    assert row.items() >= {
        "alert_id": "0/2/0", "tenant": "default", "customer_id": "ann", "entity": "card:c1",
        "transaction_id": "tx2", "severity": "high", "typology": "stolen_card", "score": 0.93,
        "amount_minor": 99_900, "currency": "EUR", "open_ticket_ids": ["T1", "T2"],
        "reason_names": ["amount_ratio"], "reason_contributions": [2.5],
        "evidence_positions": [f"{TRANSACTIONS}/0/4", f"{TRANSACTIONS}/0/5"],
        "evidence_event_ids": ["e4", "e5"], "event_id": "e2", "occurred_at": START_MS,
    }.items()  # fmt: skip


def test_priority_change_of_a_tick_knows_its_tenant_and_override() -> None:
    row = only_row(rows_of(tick(4)), "priority_changes")
    assert row.items() >= {
        "change_id": "0/4/0", "tenant": "default", "customer_id": "ann", "ticket_id": "T1",
        "priority": "P1", "previous": "P2", "score": 80.0, "cause": "tick", "event_id": "",
        "override_until": START_MS + DAY_MS + 250, "occurred_at": START_MS + HOUR_MS,
    }.items()  # fmt: skip


def test_question_is_a_row_of_its_own() -> None:
    row = only_row(rows_of(ticket(5, 17, effects=[question(5, "T1")])), "questions")
    assert row.items() >= {
        "journal_partition": 0, "number": 5, "effect_index": 0, "question_id": "0/5/0",
        "ticket_id": "T1", "task": "category", "propensity": 0.25, "reason": "uncertain",
        "language": "zh", "categories": {"card_lost": 0.75}, "event_id": "e5",
    }.items()  # fmt: skip


def test_records_of_the_core_before_have_rows_too() -> None:
    old = ticket(5, 17)
    for name in (*TICKET_ADDED, "mood_reasons"):
        del old["decision"][name]
    del old["effects"][0]["value"]["abstained"]
    said = feedback(6, 0)
    del said["decision"]["mood"]
    taught = lesson()
    del taught["asked"]
    rows = rows_of(old, said)
    rows.add_lesson(taught, partition=0, offset=0, appended_ms=START_MS)
    row = only_row(rows, "ticket_decisions")
    assert (row["abstained"], row["asked"], row["ask_propensity"], row["mood"]) == (
        False, False, None, "",
    )  # fmt: skip
    assert row["mood_reason_names"] == []
    assert only_row(rows, "priority_changes")["abstained"] is False
    assert only_row(rows, "feedback_decisions")["mood"] == ""
    assert only_row(rows, "lessons")["asked"] is False


@pytest.mark.parametrize(
    ("label", "expected"), [("x", "x"), (True, "true"), (False, "false"), (None, "")]
)
def test_lesson_writes_its_label_as_text(label: object, expected: str) -> None:
    rows = Rows()
    rows.add_lesson(lesson(label=label), partition=0, offset=7, appended_ms=START_MS)
    row = only_row(rows, "lessons")
    assert row["label"] == expected
    assert (row["lesson_offset"], row["lesson_id"]) == (7, "0/9/0")


def test_free_text_never_becomes_a_row() -> None:
    rows = rows_of(ticket(1, 0))
    rows.add_lesson(lesson(), partition=0, offset=7, appended_ms=START_MS)
    written = repr(dict(rows.tables()))
    assert "my card" not in written
    assert "text" not in {name for table in TABLES for name in table.columns}


def test_null_feature_becomes_nan_so_that_the_row_can_land() -> None:
    row = only_row(
        rows_of(transaction(2, 0, features={"a": None, "b": 1.0})), "transaction_decisions"
    )
    assert row["features"]["a"] != row["features"]["a"]
    assert row["features"]["b"] == 1.0


def test_record_without_a_part_of_its_kind_halts_and_says_where() -> None:
    broken = transaction(2, 0)
    del broken["decision"]["percentile"]
    with pytest.raises(IncompatibleError, match=r"journal 0/2 \(transaction\).*percentile"):
        rows_of(broken)


def test_refused_record_leaves_no_row_behind() -> None:
    broken = ticket(2, 0)
    del broken["decision"]["status"]
    rows = Rows()
    with pytest.raises(IncompatibleError):
        rows.add_journal(broken, partition=0, offset=2, appended_ms=START_MS)
    assert rows.row_count == 0


def test_unknown_kind_halts() -> None:
    with pytest.raises(IncompatibleError, match="surprise"):
        rows_of({**policy(1), "kind": "surprise"})


def test_tables_gives_fresh_lists_so_that_a_repeat_sends_the_same() -> None:
    rows = rows_of(ticket(1, 0))
    first = dict(rows.tables())
    first["ticket_decisions"]["status"][0] = "changed by a driver"
    assert dict(rows.tables())["ticket_decisions"]["status"] == ["open"]
