"""Each view on a small set of records whose numbers can be counted by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from journal_samples import (
    DAY_MS,
    HOUR_MS,
    JOURNAL,
    START_MS,
    TICKETS,
    TRANSACTIONS,
    alert,
    answers,
    change,
    dead,
    duplicate,
    empty,
    feedback,
    figure,
    land,
    lesson,
    migrated,
    policy,
    rows_of,
    tick,
    ticket,
    transaction,
)

from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse
from sinks.projection import Rows
from sinks.sink import Range, Sink

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def tables(engine: EmbeddedClickHouse) -> Iterator[Warehouse]:
    with migrated(engine, "views") as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(tables: Warehouse) -> Warehouse:
    empty(tables)
    return tables


def land_twice(warehouse: Warehouse, *records: dict[str, Any]) -> None:
    """Land records, and again with other tokens, as after a restart with other batch limits."""
    land(warehouse, *records, digest="a")
    land(warehouse, *records, digest="b")


def test_current_tickets_shows_open_ones_by_latest_priority(warehouse: Warehouse) -> None:
    def opened(number: int, ticket_id: str, priority: str, score: float, **more: Any) -> dict:
        tenant = more.get("tenant", "default")
        effects = [change(number, ticket_id, priority, score=score, tenant=tenant)]
        return ticket(number, number, ticket_id=ticket_id, effects=effects, **more)

    land_twice(
        warehouse,
        opened(1, "A", "P3", 40.0),
        opened(2, "B", "P1", 90.0),
        opened(3, "C", "P2", 70.0),
        opened(4, "D", "P2", 75.0, tenant="other"),
        ticket(5, 5, ticket_id="B", status="closed", tickets=[], effects=[]),
        transaction(6, 6, effects=[change(6, "A", "P2", score=71.0, cause="transaction")]),
        ticket(7, 7, ticket_id="C", status="waiting_customer", category=None, effects=[]),
        ticket(8, 8, ticket_id="ghost", known=False, status="unknown", tickets=[], effects=[]),
        ticket(9, 9, ticket_id="B", known=False, status="unknown", tickets=[], effects=[]),
    )
    found = answers(warehouse, "SELECT * FROM current_tickets")
    assert [
        (row["ticket_id"], row["priority"], row["score"], row["status"], row["cause"])
        for row in found
    ] == [
        ("D", "P2", 75.0, "open", "ticket.opened"),
        ("A", "P2", 71.0, "open", "transaction"),
        ("C", "P2", 70.0, "waiting_customer", "ticket.opened"),
    ]
    assert {row["category"] for row in found} == {"card_lost"}
    assert {row["opened_at"] for row in found} == {MIDNIGHT}


def test_current_tickets_follows_a_tick_and_an_identifier_used_again(warehouse: Warehouse) -> None:
    land(
        warehouse,
        ticket(1, 1, status="closed", tickets=[], effects=[]),
        ticket(2, 2),
        tick(3),
    )
    (row,) = answers(warehouse, "SELECT * FROM current_tickets")
    assert (row["ticket_id"], row["priority"], row["cause"]) == ("T1", "P1", "tick")
    assert row["changed_at"] == MIDNIGHT.replace(hour=1)


def test_current_tickets_shows_a_ticket_without_priority_first(warehouse: Warehouse) -> None:
    land(warehouse, ticket(1, 1), ticket(2, 2, ticket_id="new", effects=[]))
    first, second = answers(warehouse, "SELECT * FROM current_tickets")
    assert (first["ticket_id"], first["priority"], first["changed_at"]) == ("new", "", None)
    assert second["ticket_id"] == "T1"


def test_alert_precision_counts_the_latest_verdicts(warehouse: Warehouse) -> None:
    def raised(number: int, **more: Any) -> dict[str, Any]:
        moment = {"occurred_ms": more.pop("occurred_ms", START_MS)}
        return transaction(number, number, effects=[alert(number, **more)], **moment)

    def judged(number: int, about: int, verdict: str | None, **more: Any) -> dict[str, Any]:
        return feedback(number, number, alert_id=f"0/{about}/0", verdict=verdict, **more)

    land_twice(
        warehouse,
        raised(1), raised(2), raised(3), raised(4), raised(5),
        raised(6, typology="card_testing"),
        raised(7, occurred_ms=START_MS + DAY_MS),
        judged(11, 1, "confirmed"),
        judged(12, 2, "confirmed", known_ms=START_MS + HOUR_MS),
        judged(13, 2, "refuted", known_ms=START_MS + 2 * HOUR_MS),
        judged(14, 3, "inconclusive"),
        judged(15, 4, None, type="feedback.transaction", is_fraud=True),
        judged(16, 5, "refuted", outcome="ignored"),
        judged(17, 6, None, type="feedback.transaction", is_fraud=False),
    )  # fmt: skip
    found = answers(warehouse, "SELECT * FROM alert_precision")
    assert found == [
        {
            "tenant": "default", "day": day, "typology": typology, "alert_count": alerts,
            "confirmed_count": confirmed, "refuted_count": refuted,
            "inconclusive_count": inconclusive, "open_count": opened, "precision": precision,
        }
        for day, typology, alerts, confirmed, refuted, inconclusive, opened, precision in (
            (date(2026, 1, 1), "card_testing", 1, 0, 1, 0, 0, 0.0),
            (date(2026, 1, 1), "stolen_card", 5, 2, 1, 1, 1, 2 / 3),
            (date(2026, 1, 2), "stolen_card", 1, 0, 0, 0, 1, None),
        )
    ]  # fmt: skip


def test_kpis_count_by_hour_of_the_event_and_tenant(warehouse: Warehouse) -> None:
    later = START_MS + HOUR_MS + 1
    land_twice(
        warehouse,
        policy(1),
        ticket(2, 0),
        ticket(3, 1, type="ticket.closed", status="closed", tickets=[], effects=[]),
        transaction(4, 0, effects=[alert(4), change(4, "T9", "P1", 1)]),
        transaction(5, 1, outcome="approved", suppressed="budget"),
        transaction(6, 2, occurred_ms=later),
        transaction(7, 3, tenant="other"),
        feedback(8, 0),
        dead(9, TICKETS, 2),
        duplicate(10, TICKETS, 3),
        tick(11),
    )
    found = {
        (row.pop("hour"), row.pop("tenant")): {
            k.removesuffix("_count"): v for k, v in row.items() if v
        }
        for row in answers(warehouse, "SELECT * FROM kpis_hourly")
    }
    assert found == {
        (MIDNIGHT, "default"): {
            "ticket_event": 2, "ticket_opened": 1, "ticket_closed": 1, "transaction": 2,
            "transaction_declined": 1, "feedback": 1, "alert": 1, "alert_suppressed": 1,
            "priority_change": 2, "duplicate": 1,
        },
        (MIDNIGHT, "other"): {"transaction": 1, "transaction_declined": 1},
        (MIDNIGHT, ""): {"dead_letter": 1},
        (MIDNIGHT.replace(hour=1), "default"): {
            "transaction": 1, "transaction_declined": 1, "priority_change": 1,
        },
    }  # fmt: skip


def test_latency_is_append_minus_publishing_by_kind(warehouse: Warehouse) -> None:
    rows = Rows()
    for number in range(5, 105, 5):
        rows.add_journal(
            transaction(number, number),
            partition=0,
            offset=number,
            appended_ms=START_MS + 2 + number,
        )
    rows.add_journal(tick(200), partition=0, offset=200, appended_ms=START_MS)
    rows.add_journal(ticket(201, 0), partition=0, offset=201, appended_ms=START_MS + HOUR_MS)
    for digest in "ab":
        Sink(warehouse).write(Range(JOURNAL, 0, 0, 202, digest), rows)
    found = answers(warehouse, "SELECT * FROM latency_quantiles")
    assert found == [
        {
            "hour": MIDNIGHT, "kind": "transaction", "entry_count": 20,
            "latencies_ms": [55, 95, 100], "p50_ms": 55, "p90_ms": 95, "p99_ms": 100, "max_ms": 100,
        },
        {
            "hour": MIDNIGHT.replace(hour=1), "kind": "ticket", "entry_count": 1,
            "latencies_ms": [HOUR_MS - 2] * 3, "p50_ms": HOUR_MS - 2, "p90_ms": HOUR_MS - 2,
            "p99_ms": HOUR_MS - 2, "max_ms": HOUR_MS - 2,
        },
    ]  # fmt: skip


def test_reconciliation_view_accounts_for_every_position(warehouse: Warehouse) -> None:
    land_twice(
        warehouse,
        ticket(1, 10), dead(2, TICKETS, 11), duplicate(3, TICKETS, 12), ticket(4, 13),
        transaction(5, 0), dead(6, TRANSACTIONS, 1), feedback(7, 0), tick(8),
    )  # fmt: skip
    found = {row["topic"]: row for row in answers(warehouse, "SELECT * FROM reconciliation")}
    assert found[TICKETS] == {
        "topic": TICKETS, "partition": 0, "first_offset": 10, "last_offset": 13, "in_count": 4,
        "decided_count": 2, "dead_count": 1, "duplicate_count": 1, "missing_count": 0,
        "doubled_count": 0, "repeated_row_count": 4, "landed_decided_count": 2,
        "landed_dead_count": 1, "agrees": 1,
    }  # fmt: skip
    assert len(found) == 3
    assert all(row["agrees"] for row in found.values())


def test_continuity_sees_a_hole_in_the_journal(warehouse: Warehouse) -> None:
    land_twice(warehouse, policy(1), ticket(2, 0), tick(4))
    (row,) = answers(warehouse, "SELECT * FROM journal_continuity")
    assert row == {
        "journal_partition": 0, "last_number": 4, "entry_count": 3, "missing_count": 1,
        "repeated_row_count": 3, "doubled_count": 0, "effect_count": 2,
    }  # fmt: skip


def test_continuity_sees_one_number_at_two_offsets(warehouse: Warehouse) -> None:
    rows = rows_of(policy(1), ticket(2, 0))
    rows.add_journal(ticket(2, 0), partition=0, offset=9, appended_ms=START_MS)
    Sink(warehouse).write(Range(JOURNAL, 0, 1, 10, "d"), rows)
    warehouse.execute("OPTIMIZE TABLE journal_entries FINAL")
    (row,) = answers(warehouse, "SELECT * FROM journal_continuity")
    assert (row["entry_count"], row["missing_count"], row["doubled_count"]) == (2, 0, 1)
    (account,) = answers(warehouse, "SELECT * FROM reconciliation")
    assert (account["in_count"], account["doubled_count"], account["agrees"]) == (1, 1, 0)


def test_asking_daily_weighs_answers_by_their_propensity(warehouse: Warehouse) -> None:
    def asked(number: int, **more: Any) -> dict[str, Any]:
        told = {"ticket_id": f"T{number}", "tickets": [], "effects": [], **more}
        return ticket(number, number, **told)

    land_twice(
        warehouse,
        *(asked(n, ask_propensity=0.25) for n in (1, 2, 3)),
        *(asked(n, asked=False, ask_propensity=0.5) for n in (4, 5)),
        asked(6, asked=False, ask_propensity=None, ask_share=None),
        asked(7, ask_propensity=1.0, tenant="other"),
    )
    rows = Rows()
    lessons = [
        lesson(asked=True, propensity=0.25), lesson(asked=True, propensity=0.25),
        lesson(asked=True, propensity=0.5, label="refund"),
        lesson(asked=True, propensity=0.5, label="refund", corrects="0/1/0"),
        lesson(asked=True, propensity=0.5, task="urgency", label="high"), lesson(),
    ]  # fmt: skip
    for offset, each in enumerate(lessons):
        rows.add_lesson(each, partition=0, offset=offset, appended_ms=START_MS)
    for digest in "ab":
        Sink(warehouse).write(Range("desk.lessons.v1", 0, 0, 6, digest), rows)
    first, other = answers(warehouse, "SELECT * FROM asking_daily")
    assert first == {
        "tenant": "default", "day": date(2026, 1, 1), "candidate_count": 5, "asked_count": 3,
        "budget": 0.125, "asked_share": 0.6, "answered_count": 3, "accuracy": 8 / 10,
        "asked_accuracy": 2 / 3,
    }  # fmt: skip
    assert (other["answered_count"], other["accuracy"]) == (0, None)


def test_learner_quality_compares_labels_with_the_scores_then(warehouse: Warehouse) -> None:
    rows = Rows()
    lessons = [
        lesson(), lesson(), lesson(label="refund"), lesson(scores={}),
        lesson(corrects="0/1/0", known_ms=START_MS + DAY_MS),
        lesson(task="risk", label=True, scores={"risk": 0.25}),
        lesson(task="anomaly", label=None, scores={"anomaly": 0.5}),
    ]  # fmt: skip
    for offset, each in enumerate(lessons):
        rows.add_lesson(each, partition=0, offset=offset, appended_ms=START_MS)
    for digest in "ab":
        Sink(warehouse).write(Range("desk.lessons.v1", 0, 0, 7, digest), rows)
    found = [tuple(row.values()) for row in answers(warehouse, "SELECT * FROM learner_quality")]
    assert found == [
        ("anomaly", date(2026, 1, 1), 1, 0, 0, 0, None),
        ("category", date(2026, 1, 1), 4, 4, 0, 3, 2 / 3),
        ("risk", date(2026, 1, 1), 1, 1, 0, 1, None),
        ("category", date(2026, 1, 2), 1, 1, 1, 1, 1.0),
    ]


def test_quality_views_show_figures_signals_and_verdicts(warehouse: Warehouse) -> None:
    rows = Rows()
    for offset, each in enumerate(
        (
            figure(value=0.5), figure(value=0.75),
            figure(learner="risk", value=0.25, baseline=None),
            figure(segment="language=zh", value=0.125),
            figure(kind="drift", metric="loss/adwin", value=0.5, baseline=0.25),
            figure(kind="verdict", metric="trusted", value=0.0, baseline=-0.25),
            figure(kind="verdict", metric="trusted", learner="risk", value=0.0, baseline=None),
            figure(
                kind="verdict", metric="trusted", learner="risk", value=1.0,
                known_ms=START_MS + DAY_MS,
            ),
        )
    ):  # fmt: skip
        rows.add_quality(each, partition=0, offset=offset, appended_ms=START_MS)
    Sink(warehouse).write(Range("desk.quality.v1", 0, 0, 8, "d"), rows)
    found = answers(
        warehouse, "SELECT learner, metric, segment, value, baseline, known_at FROM scorecards"
    )
    assert [tuple(row.values()) for row in found] == [
        ("category", "accuracy", "all", 0.75, 0.25, MIDNIGHT),
        ("category", "accuracy", "language=zh", 0.125, 0.25, MIDNIGHT),
        ("risk", "accuracy", "all", 0.25, None, MIDNIGHT),
    ]
    drifted = answers(warehouse, "SELECT * EXCEPT revision FROM drift_signals")
    assert [tuple(row.values()) for row in drifted] == [
        (MIDNIGHT, "category", "loss", "adwin", 0.25, 0.5)
    ]
    trust = answers(
        warehouse, "SELECT learner, trusted, lead, last_distrusted_at FROM learner_trust"
    )
    assert [tuple(row.values()) for row in trust] == [
        ("category", 0, -0.25, MIDNIGHT), ("risk", 1, 0.25, MIDNIGHT),
    ]  # fmt: skip
