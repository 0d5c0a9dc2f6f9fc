"""Events as upstream systems publish them, and slices as the intake hands them over."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from schemas.registry import FEEDBACK_TOPIC, TICKETS, TRANSACTIONS
from streams.intake.batches import Raw, Slice
from streams.partitioning import partition_for

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
PARTITION_COUNT = 4
PARTITION = 1
TOPIC_BY_KIND = {
    "ticket": TICKETS.name,
    "transaction": TRANSACTIONS.name,
    "feedback": FEEDBACK_TOPIC.name,
}


def customers(partition: int, count: int) -> list[str]:
    """Customers whose key falls on a partition."""
    numbered = (f"c{n}" for n in range(10_000))
    there = [c for c in numbered if partition_for(c.encode(), PARTITION_COUNT) == partition]
    return there[:count]


CUSTOMERS = customers(PARTITION, 3)


def event(kind: str, name: str, minutes: float, customer: str = "", **fields: Any) -> bytes:
    """An event of a kind: ``name`` is its id and that of what it is about."""
    given: dict[str, dict[str, Any]] = {
        "transaction": {"transaction_id": name, "amount_minor": 2_000, "currency": "EUR"},
        "ticket": {"type": "ticket.opened", "ticket_id": name, "text": "my card was stolen!"},
        "feedback": {
            "type": "feedback.transaction",
            "known_at": (START + timedelta(minutes=minutes)).isoformat(),
            "source": "investigation",
            "transaction_id": name,
            "is_fraud": True,
        },
    }
    return orjson.dumps(
        {
            "event_id": f"{kind}-{name}",
            "customer_id": customer or CUSTOMERS[0],
            "occurred_at": (START + timedelta(minutes=minutes)).isoformat(),
            **given[kind],
            **fields,
        }
    )


def raw(kind: str, offset: int, value: bytes | None, key: bytes | None = b"", ms: int = -1) -> Raw:
    """A record; without a key its customer's, without a time 1 s an offset."""
    if key == b"" and value is not None:
        try:
            key = orjson.loads(value)["customer_id"].encode()
        except (orjson.JSONDecodeError, KeyError, TypeError):
            key = CUSTOMERS[0].encode()
    published_ms = START_MS + 3_600_000 + offset * 1_000 if ms < 0 else ms
    return Raw(published_ms, TOPIC_BY_KIND[kind], offset, key or None, value)


def slice_of(
    records: Sequence[Raw],
    positions: Mapping[str, int],
    unread_ms: int | None = None,
    partition: int = PARTITION,
) -> Slice:
    """The slice that holds the records and continues from ``positions``."""
    ends: dict[str, int] = {}
    for record in records:
        ends[record.topic] = record.offset + 1
    continues = {topic: positions.get(topic, -2) for topic in ends}
    return Slice(partition, 1, continues, ends, list(records), unread_ms)
