"""Rows of what was decided: one for each journal record, and one for its decision."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from sinks.tables import (
    FEEDBACK_FIELDS,
    PAYMENT_FIELDS,
    TICKET_ADDED,
    TICKET_FIELDS,
    TRANSACTION_FIELDS,
)

Row = tuple[Any, ...]
Record = Mapping[str, Any]

_NO_SOURCE: dict[str, Any] = {}
_ticket_fields = itemgetter(*TICKET_FIELDS.values())
_transaction_fields = itemgetter(*TRANSACTION_FIELDS.values())
_feedback_fields = itemgetter(*FEEDBACK_FIELDS.values())
_added_fields = itemgetter(*TICKET_ADDED)
_head_fields = itemgetter(
    "number", "tenant", "customer_id", "event_id", "occurred_ms", "source", "decided_ms", "policy",
    "learner",
)  # fmt: skip
_name = itemgetter("name")
_contribution = itemgetter("contribution")


def head_of(record: Record, partition: int, appended_ms: int) -> Row:
    """Give the values of `tables.HEAD`."""
    try:
        fields = _head_fields(record)
    except KeyError:  # not a decision
        return _scant_head(record, partition, appended_ms)
    number, tenant, customer_id, event_id, occurred_ms, source, decided_ms, policy, learner = fields
    return (
        partition,
        number,
        tenant,
        customer_id,
        event_id,
        record.get("tick_ms") if occurred_ms is None else occurred_ms,
        None if source is None else source["published_ms"],
        decided_ms,
        appended_ms,
        policy,
        None if learner is None else learner["revision"],
    )


def _scant_head(record: Record, partition: int, appended_ms: int) -> Row:
    number, get = record["number"], record.get
    source = get("source")
    learner = get("learner")
    occurred_ms = get("occurred_ms")
    return (
        partition,
        number,
        get("tenant"),
        get("customer_id"),
        get("event_id"),
        get("tick_ms") if occurred_ms is None else occurred_ms,
        None if source is None else source["published_ms"],
        get("decided_ms"),
        appended_ms,
        get("policy"),
        None if learner is None else learner["revision"],
    )


def entry_row(head: Row, record: Record, offset: int) -> Row:
    """Give the row of a journal record."""
    get = record.get
    source = get("source") or _NO_SOURCE
    learner = get("learner")
    return (
        *head,
        offset,
        record["epoch"],
        record["writer"],
        record["kind"],
        source.get("topic"),
        source.get("partition"),
        source.get("offset"),
        get("core"),
        None if learner is None else learner["digest"],
        len(get("effects") or ()),
        get("first"),
    )


def ticket_row(head: Row, record: Record) -> Row:
    """Give the row of a ticket's decision."""
    decision, event = record["decision"], record["event"]
    stake = event.get("amount_at_stake") or _NO_SOURCE
    ticket_id = decision["ticket_id"]
    own = next((each for each in decision["tickets"] if each["ticket_id"] == ticket_id), None)
    return (
        *head,
        *_ticket_fields(decision),
        *_added(decision),
        stake.get("amount_minor"),
        stake.get("currency"),
        event.get("transaction_ids") or [],
        *(
            (None, None, None, None, None)
            if own is None
            else (own["priority"], own["score"], own["impact"], own["sla_ms"], own["sla_used_ms"])
        ),
        chances_of(decision["categories"]),
        *reasons_of(decision["category_reasons"]),
        *reasons_of(decision["urgency_reasons"]),
        *reasons_of(decision.get("mood_reasons", [])),
        numbers_of(record["features"]),
    )


def _added(decision: Record) -> Row:
    try:
        added: Row = _added_fields(decision)
    except KeyError:
        return tuple(decision.get(name, absent) for name, absent in TICKET_ADDED.items())
    return added


def transaction_row(head: Row, record: Record) -> Row:
    """Give the row of a transaction's decision."""
    decision, event = record["decision"], record["event"]
    return (
        *head,
        *_transaction_fields(decision),
        *map(event.get, PAYMENT_FIELDS),
        len(decision["tickets"]),
        *reasons_of(decision["reasons"]),
        numbers_of(record["features"]),
    )


def feedback_row(head: Row, record: Record) -> Row:
    """Give the row of a feedback's decision."""
    decision = record["decision"]
    return (*head, *_feedback_fields(decision), decision.get("mood"))


def tick_row(head: Row, record: Record) -> Row:
    """Give the row of a tick."""
    decision = record["decision"]
    return (
        head[0],
        head[1],
        record["tick_ms"],
        *head[7:11],
        len(decision["done"]),
        decision["full"],
        decision["matured"],
        len(decision["dropped"]),
        len(decision["tickets"]),
    )


def chances_of(choices: list[dict[str, Any]]) -> dict[str, float]:
    """Give classes and their probabilities."""
    return {each["label"]: each["probability"] for each in choices}


def reasons_of(reasons: list[dict[str, Any]]) -> tuple[list[str], list[float]]:
    """Give names and contributions of reasons, in their order."""
    return list(map(_name, reasons)), list(map(_contribution, reasons))


def numbers_of(numbers: dict[str, float | None]) -> dict[str, Any]:
    """Give named numbers as they are; nan where JSON, which knows no such number, has null."""
    try:
        sum(numbers.values())  # type: ignore[arg-type]  # the cheapest way to find a null
    except TypeError:
        return {name: float("nan") if n is None else n for name, n in numbers.items()}
    return numbers
