"""Compares what went in with what came out, by id: nothing lost, nothing twice, or how much."""

from typing import Any

from schemas.registry import (
    ALERTS,
    FEEDBACK_TOPIC,
    LESSONS,
    PRIORITIES,
    QUALITY_TOPIC,
    QUESTIONS,
    TICKETS,
    TRANSACTIONS,
)
from sinks.queries import counts
from streams.demo.audit import Seen, read_outputs
from streams.demo.feed import Feed
from streams.settings import Settings
from streams.warehouse import open_warehouse, patiently


def count(settings: Settings, partition_count: int, feed: Feed, seen: Seen) -> dict[str, Any]:
    """Count by id what came out of the journal, the topics and the warehouse.

    Args:
        settings: Broker and warehouse.
        partition_count: Of inputs and journal.
        feed: Knows every acknowledged input record.
        seen: What readers of the journal accept; it must have been read to its end.
    """
    outputs = read_outputs(settings, partition_count)
    rows, spine = patiently(lambda: _rows(settings))
    accepted_count = sum(seen.kinds.values()) - seen.kinds["claim"]
    expected_rows = {
        "journal_entries": accepted_count,
        "ticket_decisions": seen.kinds["ticket"],
        "transaction_decisions": seen.kinds["transaction"],
        "feedback_decisions": seen.kinds["feedback"],
        "ticks": seen.kinds["tick"],
        "dead_letters": seen.kinds["dead"],
        "alerts": len(outputs[ALERTS.name]),
        "priority_changes": len(outputs[PRIORITIES.name]),
        "questions": len(outputs[QUESTIONS.name]),
        "lessons": len(outputs[LESSONS.name]),
        "quality": len(outputs[QUALITY_TOPIC.name]),
    }
    dead = {topic: found for topic, found in outputs.items() if topic.endswith(".dead")}
    dead_count = sum(len(found) for found in dead.values())
    unanswered = feed.positions - set(seen.answers)
    missing = {
        topic: len(set(expected) - set(outputs[topic])) for topic, expected in seen.effects.items()
    }
    lost = {
        "inputs": len(unanswered),
        "outputs": sum(missing.values()),
        "dead_letters": seen.kinds["dead"] - dead_count,
        "warehouse": sum(max(0, wanted - rows[table]) for table, wanted in expected_rows.items()),
    }
    duplicated = {
        "inputs": sum(count - 1 for count in seen.answers.values()),
        "outputs": sum(
            sum(outputs[topic].values()) - len(outputs[topic]) for topic in seen.effects
        ),
        "warehouse": int(spine[0])
        - int(spine[1])
        + sum(max(0, rows[table] - wanted) for table, wanted in expected_rows.items()),
    }
    return {
        "events_in": {
            "tickets": feed.counts[TICKETS.name],
            "transactions": feed.counts[TRANSACTIONS.name],
            "feedback": feed.counts[FEEDBACK_TOPIC.name],
        },
        "journal_records": accepted_count,
        "lost": sum(lost.values()),
        "lost_where": lost,
        "duplicated": sum(duplicated.values()),
        "duplicated_where": duplicated,
        "physical_duplicates": seen.ignored_count
        + sum(sum(found.values()) - len(found) for found in dead.values()),
        "dead_letters": dead_count,
        "alerts": len(outputs[ALERTS.name]),
        "priority_changes": len(outputs[PRIORITIES.name]),
        "questions": len(outputs[QUESTIONS.name]),
        "lessons": len(outputs[LESSONS.name]),
        "warehouse_rows": rows,
    }


def _rows(settings: Settings) -> tuple[dict[str, int], tuple[Any, ...]]:
    warehouse = open_warehouse(settings.warehouse)
    try:
        spine = warehouse.execute(
            "SELECT count(), uniqExact(journal_partition, number) FROM journal_entries FINAL"
        )[0]
        return counts(warehouse), spine
    finally:
        warehouse.close()
