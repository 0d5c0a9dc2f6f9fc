"""The state transition: what a journal record changes. Applies what is recorded, never decides."""

from collections.abc import Callable, Mapping
from typing import Any

from models.asking import ASKING, fold_asking, margin_of
from models.context import place, subject_place
from models.customer import fold_ticket_list, fold_transaction
from models.ledger import fold_score, fold_tick
from models.open_tickets import fold_frauds
from models.state import Changes, Due, Room, State, Value
from models.teaching import PARKED as PARKED_LIMIT
from models.teaching import fold_label, is_new, new_frauds, remember, waiting_for
from models.tick_decisions import PARKED
from models.ticket import (
    fold_assessment,
    fold_findings,
    fold_linked,
    fold_ticket,
    is_open,
    open_ticket,
)

FINDINGS = (
    "category",
    "urgency",
    "mood",
    "override",
    "override_until_ms",
    "is_fraud",
    "source",
    "known_ms",
)
"""What parked feedback keeps of its decision."""


class Fold:
    """Collects the changes of one record over the state before it.

    Args:
        record: The journal record; a draft needs its ``number``.
        state: Before the record.
    """

    def __init__(self, record: Mapping[str, Any], state: State) -> None:
        self.record = record
        self.state = state
        self.decision: Mapping[str, Any] = record.get("decision", {})
        self.tenant: str = record.get("tenant", "")
        self.rooms: dict[tuple[Room, str], Value | None] = {}
        self.added: list[Due] = []
        self.removed: list[Due] = []

    def changes(self) -> Changes:
        """Fold the record; claims and dead letters change nothing."""
        match self.record["kind"]:
            case "ticket":
                self._see()
                self._fold_ticket()
            case "transaction":
                self._see()
                self._fold_transaction()
            case "feedback":
                self._see()
                self._fold_feedback()
            case "tick":
                self._fold_tick()
            case "policy":
                self.rooms["policy", ""] = dict(self.record["content"])
        return Changes(self.rooms, self.added, self.removed)

    def get(self, room: Room, key: str) -> Value | None:
        """Give a value as changed so far."""
        if (room, key) in self.rooms:
            return self.rooms[room, key]
        return self.state.get(room, key)

    def _see(self) -> None:
        source = self.record["source"]
        self.rooms["seen", place(self.tenant, self.record["event_id"])] = {
            "at_ms": source["published_ms"],
            "topic": source["topic"],
            "partition": source["partition"],
            "offset": source["offset"],
        }

    def _fold_transaction(self) -> None:
        event, decision = self.record["event"], self.decision
        occurred_ms: int = self.record["occurred_ms"]
        customer_key = place(self.tenant, self.record["customer_id"])
        customer = fold_transaction(
            self.get("customer", customer_key),
            event,
            occurred_ms,
            decision,
            self.record["source"],
        )
        self.rooms["customer", customer_key] = fold_frauds(customer, decision["labels"])
        self.rooms["ledger", ""] = fold_score(
            self.get("ledger", ""),
            decision["score"],
            decision["alert"],
            occurred_ms,
        )
        key = subject_place("transaction", self.tenant, decision["transaction_id"])
        if not decision["repeated"]:
            self.rooms["remembered", key] = self._memory()
        if decision["mature_ms"] is not None:
            self.added.append(Due(decision["mature_ms"], "mature", key))
        if decision["alert"]:
            self._keep_alert()
        self._unpark(key)
        self._fold_labels()
        self._fold_assessments(lambda ticket: fold_linked(ticket, decision))

    def _keep_alert(self) -> None:
        decision = self.decision
        self.rooms["alert", decision["alert_id"]] = {
            "at_ms": self.record["source"]["published_ms"],
            "occurred_ms": self.record["occurred_ms"],
            "tenant": self.tenant,
            "customer_id": self.record["customer_id"],
            "transaction_id": decision["transaction_id"],
            "typology": decision["typology"],
            "severity": decision["severity"],
            "score": decision["score"],
            "verdict": None,
        }

    def _fold_ticket(self) -> None:
        event, decision = self.record["event"], self.decision
        if not decision["known"]:
            return
        occurred_ms: int = self.record["occurred_ms"]
        ticket_id = decision["ticket_id"]
        key = place(self.tenant, ticket_id)
        subject_key = subject_place("ticket", self.tenant, ticket_id)
        before = self.get("ticket", key)
        after: Value
        if event["type"] == "ticket.opened" and not is_open(before):
            self.rooms["remembered", subject_key] = self._memory()
            after = open_ticket(event, occurred_ms, decision)
            parked = self.get("parked", subject_key) if decision["unparked"] else None
            for waiting in waiting_for(parked, self.record["customer_id"]):
                after = fold_findings(after, waiting)
            self._unpark(subject_key)
            self._fold_asking()
        else:
            after = fold_ticket(before or {}, event, occurred_ms, decision)
        if before is not None and before["next_ms"] is not None and not is_open(after):
            self.removed.append(Due(before["next_ms"], "reprioritise", key))
        self.rooms["ticket", key] = after
        customer_key = place(self.tenant, self.record["customer_id"])
        self.rooms["customer", customer_key] = fold_ticket_list(
            self.get("customer", customer_key), ticket_id, is_open(after), occurred_ms
        )
        self._fold_labels()
        self._fold_assessments()

    def _fold_asking(self) -> None:
        """Count a ticket that could be asked about; decisions of core 1 know nothing of it."""
        decision = self.decision
        if decision.get("ask_propensity") is not None:
            self.rooms["ledger", ASKING] = fold_asking(
                self.get("ledger", ASKING),
                margin_of(decision["categories"]),
                decision["asked"],
                decision["ask_share"],
            )

    def _fold_feedback(self) -> None:
        decision = self.decision
        if decision["outcome"] == "parked":
            self._park()
        if decision["verdict"] is not None and decision["outcome"] == "applied":
            alert = self.get("alert", decision["subject_id"])
            if alert is not None:
                self.rooms["alert", decision["subject_id"]] = {
                    **alert,
                    "verdict": decision["verdict"],
                }
        self._fold_labels()
        customer_key = place(self.tenant, self.record["customer_id"])
        customer = self.get("customer", customer_key)
        if customer is not None and new_frauds(decision["labels"]):
            self.rooms["customer", customer_key] = fold_frauds(customer, decision["labels"])
        if decision["subject_kind"] == "ticket":
            self._fold_assessments(lambda ticket: fold_findings(ticket, decision))
        else:
            self._fold_assessments()

    def _fold_tick(self) -> None:
        for done in self.decision["done"]:
            self.removed.append(Due(done["at_ms"], done["kind"], done["key"]))
        for key in self.decision["dropped"]:
            self.rooms["parked", key] = None
        self._fold_labels()
        self._fold_assessments()
        self.rooms["ledger", ""] = fold_tick(
            self.get("ledger", ""), self.record["tick_ms"], self.decision.get("quality")
        )

    def _memory(self) -> dict[str, Any]:
        record = self.record
        source = record["source"]
        return remember(
            record["event"],
            self.decision,
            record["features"],
            record["occurred_ms"],
            source["published_ms"],
            f"{source['partition']}/{record['number']}",
        )

    def _park(self) -> None:
        """Let the findings wait for their decision; the oldest of too many drops out."""
        decision = self.decision
        key = subject_place(decision["subject_kind"], self.tenant, decision["subject_id"])
        parked = self.get("parked", key)
        items = [] if parked is None else parked["items"]
        until_ms = decision["park_until_ms"]
        if parked is not None:
            until_ms = max(until_ms, parked["until_ms"])
        finding = {name: decision.get(name) for name in FINDINGS}
        finding["customer_id"] = self.record["customer_id"]
        self.rooms["parked", key] = {
            "items": [*items[1 - PARKED_LIMIT :], finding],
            "until_ms": until_ms,
        }
        self.added.append(Due(until_ms, "mature", PARKED + key))

    def _unpark(self, key: str) -> None:
        if self.decision["unparked"]:
            parked = self.get("parked", key)
            if parked is not None:
                self.removed.append(Due(parked["until_ms"], "mature", PARKED + key))
            self.rooms["parked", key] = None

    def _fold_labels(self) -> None:
        for label in self.decision["labels"]:
            if not is_new(label):
                continue
            kind = "transaction" if label["task"] == "risk" else "ticket"
            key = subject_place(kind, label["tenant"], label["subject_id"])
            memory = self.get("remembered", key)
            if memory is not None:
                self.rooms["remembered", key] = fold_label(memory, label)

    def _fold_assessments(self, fold: Callable[[Value], Value] = lambda ticket: ticket) -> None:
        for assessment in self.decision["tickets"]:
            key = place(assessment["tenant"], assessment["ticket_id"])
            ticket = self.get("ticket", key)
            if ticket is None:
                continue
            after = fold_assessment(fold(ticket), assessment)
            self.rooms["ticket", key] = after
            if ticket["next_ms"] != after["next_ms"]:
                if ticket["next_ms"] is not None:
                    self.removed.append(Due(ticket["next_ms"], "reprioritise", key))
                if after["next_ms"] is not None:
                    self.added.append(Due(after["next_ms"], "reprioritise", key))
