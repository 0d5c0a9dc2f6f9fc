"""Journal records, lessons and figures made by hand after the schemas, for the sinks' tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse
from sinks.migrate import migrate
from sinks.projection import Rows
from sinks.sink import Range, Sink
from sinks.tables import TABLES

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC."""

TICKETS, TRANSACTIONS = "support.tickets.v1", "payments.transactions.v1"
FEEDBACK, JOURNAL = "desk.feedback.v1", "desk.journal.v1"


def reason(name: str, contribution: float) -> dict[str, Any]:
    return {"name": name, "contribution": contribution, "value": None}


def assessment(ticket_id: str, priority: str, **more: Any) -> dict[str, Any]:
    return {
        "tenant": "default",
        "ticket_id": ticket_id, "customer_id": "ann", "priority": priority, "previous": None,
        "changed": True, "score": 61.25, "impact": 2, "urgency": "high", "base_urgency": "medium",
        "reasons": [reason("urgency", 41.25), reason("age", 20.0)], "cause": "ticket.opened",
        "overridden": False, "override_until_ms": None, "sla_ms": 4 * HOUR_MS, "sla_used_ms": 1000,
        "next_ms": None, "assessed_ms": START_MS, **more,
    }  # fmt: skip


def change(number: int, ticket_id: str, priority: str, index: int = 0, **more: Any) -> dict:
    value = {
        "id": f"0/{number}/{index}", "tenant": "default", "customer_id": "ann",
        "ticket_id": ticket_id, "priority": priority, "previous": None, "score": 61.25,
        "impact": 2, "urgency": "high", "category": "card_lost", "abstained": False,
        "reasons": [reason("urgency", 41.25), reason("age", 20.0)], "cause": "ticket.opened",
        "override_until": None, "occurred_at": "2026-01-01T00:00:00.000Z",
        "decided_at": "2026-01-01T00:00:00.007Z", **more,
    }  # fmt: skip
    return {"topic": "support.priorities.v1", "key": ticket_id, "value": value}


def question(number: int, ticket_id: str, index: int = 0, **more: Any) -> dict[str, Any]:
    value = {
        "id": f"0/{number}/{index}", "tenant": "default", "customer_id": "ann",
        "ticket_id": ticket_id, "task": "category",
        "categories": [{"label": "card_lost", "probability": 0.75}], "propensity": 0.25,
        "reason": "uncertain", "language": "zh", "occurred_at": "2026-01-01T00:00:00.000Z",
        "decided_at": "2026-01-01T00:00:00.007Z", **more,
    }  # fmt: skip
    return {"topic": "support.questions.v1", "key": ticket_id, "value": value}


def alert(number: int, index: int = 0, **more: Any) -> dict[str, Any]:
    value = {
        "id": f"0/{number}/{index}", "tenant": "default", "customer_id": "ann",
        "entity": "card:c1", "transaction_id": f"tx{number}", "severity": "high",
        "typology": "stolen_card", "score": 0.93, "score_kind": "risk", "percentile": 0.999,
        "amount_minor": 99_900, "currency": "EUR", "case_key": "card:c1/stolen_card",
        "dedup_key": "card:c1/stolen_card/2026-01-01", "reasons": [reason("amount_ratio", 2.5)],
        "evidence": [
            {"topic": TRANSACTIONS, "partition": 0, "offset": 4, "event_id": "e4"},
            {"topic": TRANSACTIONS, "partition": 0, "offset": 5, "event_id": "e5"},
        ],
        "open_ticket_ids": ["T1", "T2"], "occurred_at": "2026-01-01T00:00:00.000Z",
        "decided_at": "2026-01-01T00:00:00.007Z", **more,
    }  # fmt: skip
    return {"topic": "risk.alerts.v1", "key": "card:c1", "value": value}


def record(kind: str, number: int, topic: str = "", offset: int = 0, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "v": 1, "kind": kind, "epoch": 3, "number": number, "writer": "w1", "core": "1",
        "policy": "p" * 32, "decided_ms": START_MS + 7,
    }  # fmt: skip
    if topic:
        made["source"] = {
            "topic": topic, "partition": 0, "offset": offset, "published_ms": START_MS + 2,
        }  # fmt: skip
    return {**made, **more}


def decided(kind: str, number: int, topic: str, offset: int, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "tenant": "default", "customer_id": "ann", "event_id": f"e{number}",
        "occurred_ms": START_MS, "learner": {"revision": 40, "digest": "d" * 32},
        "event": {}, "features": {"amount": 12.5, "hour": 0}, "effects": [],
    }  # fmt: skip
    return record(kind, number, topic, offset, **{**made, **more})


def ticket(number: int, offset: int, **more: Any) -> dict[str, Any]:
    decision = {
        "type": "ticket.opened", "ticket_id": "T1", "known": True, "status": "open",
        "channel": "app", "product": None, "language": "zh", "category": "card_lost",
        "category_confidence": 0.75, "category_threshold": 0.7, "abstained": False,
        "categories": [{"label": "card_lost", "probability": 0.75},
                       {"label": "refund", "probability": 0.125}],
        "category_reasons": [reason("lost", 1.5), reason("rest", -0.25)],
        "urgency": "high", "urgency_confidence": None, "urgency_source": "rules",
        "urgency_reasons": [reason("lost", 2.0)],
        "mood": "unhappy", "mood_confidence": 0.5, "mood_source": "learner",
        "mood_reasons": [reason("gone", 0.5)], "asked": True, "ask_propensity": 0.25,
        "ask_share": 0.125, "urgencies": [], "moods": [], "sentiment": -0.5, "anger": 0.25,
        "amount_at_stake": 12.5, "opened_ms": START_MS, "linked": [],
        "tickets": [assessment("T1", "P2")], "labels": [], "unparked": 1,
    }  # fmt: skip
    event = {
        "type": "ticket.opened", "text": "my card is gone", "transaction_ids": ["tx1", "tx2"],
        "amount_at_stake": {"amount_minor": 1250, "currency": "EUR"},
    }  # fmt: skip
    effects = more.pop("effects", [change(number, decision["ticket_id"], "P2")])
    own = {name: more.pop(name) for name in list(more) if name in decision}
    return decided(
        "ticket", number, TICKETS, offset,
        decision={**decision, **own}, event=event, effects=effects, **more,
    )  # fmt: skip


def transaction(number: int, offset: int, **more: Any) -> dict[str, Any]:
    decision = {
        "transaction_id": f"tx{number}", "repeated": False, "outcome": "declined", "score": 0.93,
        "score_kind": "risk", "risk": 0.93, "anomaly": 0.5, "percentile": 0.999, "amount": 999.0,
        "scorecard": 0.4, "blend": 0.93,
        "suspicious": True, "alert": False, "alert_id": None, "suppressed": None,
        "suppressed_by": None, "severity": None, "typology": None, "entity": None,
        "case_key": None, "dedup_key": None, "budget_left": 17,
        "reasons": [reason("amount_ratio", 2.5), reason("bias", -4.0)],
        "reason_space": "log_odds", "evidence": [], "sampled": False, "propensity": 0.25,
        "mature_ms": START_MS + 7 * DAY_MS, "tickets": [], "labels": [], "unparked": 0,
    }  # fmt: skip
    event = {
        "type": "transaction", "transaction_id": f"tx{number}", "amount_minor": 99_900,
        "currency": "EUR", "outcome": "declined", "response_code": "51", "channel": "pos",
        "terminal_id": "term1", "country": "DE", "card": "c1",
    }  # fmt: skip
    own = {name: more.pop(name) for name in list(more) if name in decision}
    return decided(
        "transaction", number, TRANSACTIONS, offset,
        decision={**decision, **own}, event=event, **more,
    )  # fmt: skip


def feedback(number: int, offset: int, **more: Any) -> dict[str, Any]:
    decision = {
        "type": "feedback.alert", "subject_kind": "alert", "subject_id": "0/2/0",
        "outcome": "applied", "source": "investigation", "known_ms": START_MS + HOUR_MS,
        "category": None, "urgency": None, "mood": None, "solution": None, "satisfaction": None,
        "is_fraud": None, "verdict": "confirmed", "typology": "stolen_card", "alert_id": "0/2/0",
        "alert_transaction_id": "tx2", "alert_severity": "high", "alert_occurred_ms": START_MS,
        "override": None, "override_until_ms": None, "park_until_ms": None, "predicted": None,
        "score": 0.93,
        "tickets": [], "labels": [],
    }  # fmt: skip
    own = {name: more.pop(name) for name in list(more) if name in decision}
    return decided("feedback", number, FEEDBACK, offset, decision={**decision, **own}, **more)


def tick(number: int, **more: Any) -> dict[str, Any]:
    decision = {
        "done": [{"at_ms": START_MS, "kind": "mature", "key": "tx1"}], "full": True, "matured": 1,
        "dropped": ["x", "y"], "tickets": [assessment("T1", "P1")], "labels": [], "quality": None,
    }  # fmt: skip
    return record(
        "tick", number, tick_ms=START_MS + HOUR_MS, decision=decision,
        learner={"revision": 41, "digest": "e" * 32},
        effects=[change(number, "T1", "P1", cause="tick", previous="P2", score=80.0,
                        override_until="2026-01-02T00:00:00.250Z")], **more,
    )  # fmt: skip


def dead(number: int, topic: str, offset: int, **more: Any) -> dict[str, Any]:
    error = {"class": "MalformedError", "stage": "decode", "message": "not JSON " + "x" * 600}
    return record("dead", number, topic, offset, error=error, bytes=700, **more)


def duplicate(number: int, topic: str, offset: int) -> dict[str, Any]:
    return record(
        "duplicate", number, topic, offset, event_id="e1", tenant="default", customer_id="ann",
        first=f"{topic}/0/0",
    )  # fmt: skip


def policy(number: int) -> dict[str, Any]:
    return record("policy", number, content={"version": 1})


def claim(epoch: int) -> dict[str, Any]:
    return {"v": 1, "kind": "claim", "epoch": epoch, "writer": "w2", "at_ms": START_MS}


def lesson(**more: Any) -> dict[str, Any]:
    return {
        "id": "0/9/0", "task": "category", "tenant": "default", "customer_id": "ann",
        "decision_id": "0/1", "subject_id": "T1", "features": {"len": 4.0}, "text": "my card",
        "label": "card_lost", "label_source": "agent",
        "scores": {"card_lost": 0.75, "refund": 0.25}, "propensity": 1.0, "asked": False,
        "terminal_id": None,
        "amount_minor": None, "occurred_ms": START_MS, "known_ms": START_MS + HOUR_MS,
        "corrects": None, **more,
    }  # fmt: skip


def figure(**more: Any) -> dict[str, Any]:
    return {
        "id": "0/9/2", "kind": "figure", "learner": "category", "metric": "accuracy",
        "segment": "all", "maturity": "all", "value": 0.875, "baseline": 0.25,
        "window_count": 500, "missing_count": 20, "revision": 40, "known_ms": START_MS,
        "core": "2", **more,
    }  # fmt: skip


def rows_of(*records: dict[str, Any], partition: int = 0, appended_ms: int = START_MS + 12) -> Rows:
    """The rows of records whose offsets are their numbers."""
    rows = Rows()
    for each in records:
        rows.add_journal(
            each, partition=partition, offset=each.get("number", 0), appended_ms=appended_ms
        )
    return rows


def land(warehouse: Warehouse, *records: dict[str, Any], digest: str = "d") -> dict[str, int]:
    """Write records to the warehouse as one range."""
    numbers = [each.get("number", 0) for each in records]
    source = Range(JOURNAL, 0, min(numbers), max(numbers) + 1, digest)
    return Sink(warehouse).write(source, rows_of(*records))


@contextmanager
def migrated(engine: EmbeddedClickHouse, database: str) -> Iterator[Warehouse]:
    """A database of its own with all tables and views."""
    with Warehouse(engine.host, engine.port, database) as warehouse:
        migrate(warehouse)
        yield warehouse
        warehouse.execute(f"DROP DATABASE {database}")


def empty(warehouse: Warehouse) -> None:
    """Take all rows out of all tables; tokens are forgotten with them."""
    for table in TABLES:
        warehouse.execute(f"TRUNCATE TABLE {table.name}")


def answers(warehouse: Warehouse, sql: str) -> list[dict[str, Any]]:
    """Rows by the names of their columns."""
    names, rows = warehouse.table(sql)
    return [dict(zip(names, row, strict=True)) for row in rows]
