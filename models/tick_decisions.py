"""Deciding about a tick: what falls due by time alone."""

from typing import Any

from models.context import Context, Draft, place, split_place
from models.effects import Effects
from models.learning import Learners
from models.priority import assess
from models.quality.report import is_report_due, report
from models.state import Due, State
from models.teaching import Subject
from models.ticket import is_open

PARKED = "parked:"
"""Agenda keys with this prefix name a place in room ``parked`` that has waited too long."""


def decide_tick_items(tick_ms: int, context: Context) -> Draft | None:
    """Decide about at most ``tick_items`` agenda entries due, and report on the learners.

    Returns:
        ``None`` if no entry and no report is due.
    """
    limit = context.policy.tick_items
    entries = context.state.due(tick_ms, limit)
    reports = is_reporting(tick_ms, context.state, context.learners, context.stamp.partition)
    if not entries and not reports:
        return None
    effects = Effects(context.stamp)
    decision: dict[str, Any] = {
        "done": [{"at_ms": due.at_ms, "kind": due.kind, "key": due.key} for due in entries],
        "full": len(entries) == limit,
        "matured": 0,
        "dropped": [],
        "tickets": [],
        "labels": [],
        "quality": None,
    }
    for due in entries:
        if due.kind == "reprioritise":
            _reprioritise(due, tick_ms, decision, context, effects)
        elif due.key.startswith(PARKED):
            _drop(due, tick_ms, decision, context)
        else:
            _mature(due, decision, context, effects)
    if reports:
        decision["quality"] = report(
            context.learners.quality,
            context.learners.revision,
            context.state.get("ledger", ""),
            tick_ms,
            context.policy.alert_budget_per_day,
            effects,
        )
    return {
        "kind": "tick",
        **context.versions(),
        "tick_ms": tick_ms,
        "decision": decision,
        "effects": effects.items,
        "decided_ms": context.stamp.decided_ms,
    }


def is_reporting(tick_ms: int, state: State, learners: Learners, partition: int) -> bool:
    """Tell whether a tick of this partition would report on the learners."""
    ledger = state.get("ledger", "")
    return is_report_due(learners.quality, learners.revision, ledger, tick_ms, partition)


def _mature(due: Due, decision: dict[str, Any], context: Context, effects: Effects) -> None:
    """Teach that a transaction was no fraud, if nobody said anything about it until now."""
    memory = context.state.get("remembered", due.key)
    if memory is None or "risk" in memory["labels"]:
        return
    tenant, subject_id = split_place(due.key.removeprefix("transaction/"))
    subject = Subject("transaction", tenant, subject_id, memory)
    decision["labels"].append(
        subject.teach("risk", False, "implicit", due.at_ms, memory["propensity"], effects)
    )
    decision["matured"] += 1


def _drop(due: Due, tick_ms: int, decision: dict[str, Any], context: Context) -> None:
    key = due.key.removeprefix(PARKED)
    parked = context.state.get("parked", key)
    if parked is not None and parked["until_ms"] <= tick_ms and key not in decision["dropped"]:
        decision["dropped"].append(key)


def _reprioritise(
    due: Due, tick_ms: int, decision: dict[str, Any], context: Context, effects: Effects
) -> None:
    """Assess a ticket anew: its SLA has run, or its override has expired."""
    ticket = context.state.get("ticket", due.key)
    if ticket is None or not is_open(ticket) or ticket["next_ms"] != due.at_ms:
        return
    tenant, ticket_id = split_place(due.key)
    customer = context.state.get("customer", place(tenant, ticket["customer_id"]))
    assessment = assess(tenant, ticket_id, ticket, customer, tick_ms, "tick", context.policy)
    effects.priority(assessment, ticket, tick_ms)
    decision["tickets"].append(assessment)
