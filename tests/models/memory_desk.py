"""A desk in memory: decides, writes down, reads back, folds; every record in both ways."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from models.core import Draft, advance, decide_event, decide_policy, decide_tick
from models.learning import Learners
from models.masking import mask
from models.policy import POLICY_V1, Policy
from models.state import MemoryState, Stamp
from schemas.codec import decode, decode_json, encode
from schemas.feedback import FEEDBACK
from schemas.journal import EventKind, Source
from schemas.registry import ALERTS, LESSONS, PRIORITIES
from schemas.tickets import TICKET
from schemas.transactions import TRANSACTION

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_ADAPTERS: dict[str, Any] = {
    "ticket": TICKET,
    "transaction": TRANSACTION,
    "feedback": FEEDBACK,
}


def policy_with(**changes: Any) -> Policy:
    """Give the first policy with parts replaced: alerts__warm_up=0 goes into alerts."""
    content: dict[str, Any] = orjson.loads(orjson.dumps(POLICY_V1))
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = content
        for parent in parents:
            part = part[parent]
        part[last] = value
    return Policy.from_content(content)


@dataclass
class Desk:
    """Takes raw events, minutes after START."""

    policy: Policy = field(default_factory=policy_with)
    learners: Learners = field(default_factory=Learners)
    state: MemoryState = field(default_factory=MemoryState)
    folded: MemoryState = field(default_factory=MemoryState)
    records: list[Draft] = field(default_factory=list)
    learning: bool = True
    partition: int = 0
    partition_count: int = 1

    def at(self, minutes: float) -> str:
        return (START + timedelta(minutes=minutes)).isoformat()

    def ms(self, minutes: float) -> int:
        return int((START + timedelta(minutes=minutes)).timestamp() * 1000)

    def take(self, kind: EventKind, minutes: float, late: float = 0.0, **fields: Any) -> Draft:
        number = len(self.records)
        raw = {
            "event_id": f"e{number}",
            "customer_id": "c",
            "occurred_at": self.at(minutes),
            **fields,
        }
        event = mask(decode(_ADAPTERS[kind], orjson.dumps(raw)), b"key")
        source: Source = {
            "topic": kind,
            "partition": self.partition,
            "offset": number,
            "published_ms": self.ms(minutes + late),
        }
        draft = decide_event(
            kind, event, source, self.state, self.learners, self.policy, self.stamp(source)
        )
        return self.write(draft)

    def tick(self, minutes: float) -> Draft | None:
        tick_ms = self.ms(minutes)
        draft = decide_tick(tick_ms, self.state, self.learners, self.policy, self.stamp())
        return None if draft is None else self.write(draft)

    def put_policy(self, content: dict[str, Any]) -> Draft:
        return self.write(decide_policy(content, self.stamp()))

    def stamp(self, source: Source | None = None) -> Stamp:
        decided_ms = self.ms(0) if source is None else source["published_ms"] + 3
        return Stamp(self.partition, self.partition_count, len(self.records), decided_ms)

    def write(self, draft: Draft) -> Draft:
        draft["number"] = len(self.records)
        record = decode_json(encode(draft))
        assert record == draft
        self.state.apply(advance(draft, self.state))
        self.folded.apply(advance(record, self.folded))
        self.records.append(draft)
        for effect in draft.get("effects", []):
            if self.learning and effect["topic"] == LESSONS.name:
                self.learners.fold(encode(effect["value"]), self.learners.revision)
        return draft

    def transaction(self, minutes: float, amount: float = 20, **fields: Any) -> Draft:
        number = len(self.records)
        given = {
            "transaction_id": f"t{number}",
            "amount_minor": round(amount * 100),
            "currency": "EUR",
            **fields,
        }
        return self.take("transaction", minutes, **given)

    def ticket(self, minutes: float, ticket_id: str = "k", **fields: Any) -> Draft:
        given = {
            "type": "ticket.opened",
            "ticket_id": ticket_id,
            "text": "where is my card",
            **fields,
        }
        return self.take("ticket", minutes, **given)

    def feedback(self, minutes: float, what: str, **fields: Any) -> Draft:
        given = {"type": f"feedback.{what}", "known_at": self.at(minutes), **fields}
        return self.take("feedback", minutes, **given)

    def effects(self, topic: str) -> list[dict[str, Any]]:
        return [
            effect["value"]
            for record in self.records
            for effect in record.get("effects", [])
            if effect["topic"] == topic
        ]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return self.effects(ALERTS.name)

    @property
    def priorities(self) -> list[dict[str, Any]]:
        return self.effects(PRIORITIES.name)

    @property
    def lessons(self) -> list[dict[str, Any]]:
        return self.effects(LESSONS.name)


class StubRisk:
    """A risk learner that scores by amount alone: 100 and more is fraud."""

    ready = True
    fraud_count = 10**12

    def explain_one(self, features: dict[str, float]) -> dict[str, float]:
        return {"(bias)": -4.0, "amount": min(features["amount"], 1_000.0) / 20.0, "hour": 0.25}

    def learn_one(self, features: dict[str, float], label: bool, kept_share: float) -> None:
        pass


def alerting_desk(**changes: Any) -> Desk:
    """A desk that alerts from an amount of about 100 on, warmed up with small amounts."""
    desk = Desk(policy=policy_with(**{"alerts__warm_up": 20, **changes}), learning=False)
    desk.learners.risk = StubRisk()  # type: ignore[assignment]  # a stub with its three verbs
    for i in range(120):
        desk.transaction(i * 0.1 - 60, 10 + i % 7, customer_id=f"warm{i}")
    return desk
