"""What the real core decides about a simulated company lands whole, and the views add up."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from journal_samples import (
    FEEDBACK,
    JOURNAL,
    START_MS,
    TICKETS,
    TRANSACTIONS,
    answers,
    dead,
    migrated,
    policy,
)

from models.core import advance, decide_event, decide_tick
from models.learning import Learners
from models.masking import mask
from models.policy import POLICY_V1, Policy
from models.state import MemoryState, Stamp
from schemas.codec import decode, decode_json, encode
from schemas.feedback import FEEDBACK as FEEDBACK_SCHEMA
from schemas.journal import Source
from schemas.registry import KIND_BY_TOPIC, LESSONS, QUALITY_TOPIC
from schemas.tickets import TICKET
from schemas.transactions import TRANSACTION
from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse
from sinks.projection import Rows
from sinks.queries import counts, journal_gaps, reconcile
from sinks.sink import Range, Sink
from streams.simulator.company import company

SCHEMAS: dict[str, Any] = {TICKETS: TICKET, TRANSACTIONS: TRANSACTION, FEEDBACK: FEEDBACK_SCHEMA}
HOUR_MS = 3_600_000


class Journal:
    """Decides events of one partition and keeps the records as readers get them."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = [policy(1)]
        self.lessons: list[dict[str, Any]] = []
        self.ends: Counter[tuple[str, int]] = Counter()
        self._state, self._learners = MemoryState(), Learners()
        self._policy = Policy.from_content(POLICY_V1)
        self._ticked_ms = 0
        self._last = ("", b"", 0)

    def take(self, topic: str, value: bytes, at_ms: int) -> None:
        offset = self.ends[topic, 0]
        self.ends[topic, 0] += 1
        hour_ms = at_ms - at_ms % HOUR_MS
        while hour_ms > self._ticked_ms:
            draft = decide_tick(
                hour_ms, self._state, self._learners, self._policy, self._stamp(at_ms)
            )
            if draft is None:
                self._ticked_ms = hour_ms
            else:
                self._write(draft)
        source = Source(topic=topic, partition=0, offset=offset, published_ms=at_ms)
        self._last = (topic, value, at_ms)
        event = mask(decode(SCHEMAS[topic], value), b"key")
        self._write(
            decide_event(
                KIND_BY_TOPIC[topic], event, source, self._state, self._learners, self._policy,
                self._stamp(at_ms + 5),
            )
        )  # fmt: skip

    def refuse(self, topic: str) -> None:
        self.records.append(dead(len(self.records) + 1, topic, self.ends[topic, 0]))
        self.ends[topic, 0] += 1

    def repeat(self) -> None:
        self.take(*self._last)

    def _stamp(self, decided_ms: int) -> Stamp:
        return Stamp(0, 1, len(self.records) + 1, decided_ms)

    def _write(self, draft: Any) -> None:
        number = len(self.records) + 1
        record = {"v": 1, "epoch": 1, "writer": "w", "number": number, **draft}
        self._state.apply(advance(record, self._state))
        self.records.append(decode_json(encode(record)))
        for effect in record.get("effects", ()):
            if effect["topic"] == LESSONS.name:
                self.lessons.append(effect["value"])
                self._learners.fold(encode(effect["value"]), self._learners.revision)


@pytest.fixture(scope="module")
def journal() -> Journal:
    made = Journal()
    for each in company(seed=7, events=1_500, start_ms=START_MS):
        made.take(each.topic, each.value, each.at_ms)
    made.refuse(TICKETS)
    made.repeat()
    return made


@pytest.fixture(scope="module")
def warehouse(engine: EmbeddedClickHouse, journal: Journal) -> Iterator[Warehouse]:
    with migrated(engine, "core") as opened:
        sink = Sink(opened)
        for repeat, size in (("a", 700), ("b", 450)):  # the second time as after a restart
            for start in range(0, len(journal.records), size):
                rows = Rows()
                part = journal.records[start : start + size]
                for record in part:
                    rows.add_journal(
                        record, partition=0, offset=record["number"],
                        appended_ms=record["decided_ms"] + 10,
                    )  # fmt: skip
                sink.write(Range(JOURNAL, 0, start, start + len(part), repeat), rows)
        rows = Rows()
        for offset, lesson in enumerate(journal.lessons):
            rows.add_lesson(lesson, partition=0, offset=offset, appended_ms=lesson["known_ms"])
        sink.write(Range(LESSONS.name, 0, 0, len(journal.lessons), "a"), rows)
        rows, reports = Rows(), effects(journal, QUALITY_TOPIC.name)
        for offset, value in enumerate(reports):
            rows.add_quality(value, partition=0, offset=offset, appended_ms=value["known_ms"])
        sink.write(Range(QUALITY_TOPIC.name, 0, 0, len(reports), "a"), rows)
        yield opened


def effects(journal: Journal, topic: str) -> list[dict[str, Any]]:
    return [
        effect["value"]
        for record in journal.records
        for effect in record.get("effects", ())
        if effect["topic"] == topic
    ]


def test_every_record_and_output_has_its_row(warehouse: Warehouse, journal: Journal) -> None:
    kinds = Counter(record["kind"] for record in journal.records)
    assert min(kinds[kind] for kind in ("ticket", "transaction", "feedback", "tick")) > 50
    assert counts(warehouse) == {
        "journal_entries": len(journal.records),
        "ticket_decisions": kinds["ticket"],
        "transaction_decisions": kinds["transaction"],
        "feedback_decisions": kinds["feedback"],
        "ticks": kinds["tick"],
        "dead_letters": 1,
        "alerts": len(effects(journal, "risk.alerts.v1")),
        "priority_changes": len(effects(journal, "support.priorities.v1")),
        "questions": len(effects(journal, "support.questions.v1")),
        "lessons": len(journal.lessons),
        "quality": len(effects(journal, QUALITY_TOPIC.name)),
    }
    assert effects(journal, QUALITY_TOPIC.name)
    assert effects(journal, "risk.alerts.v1")
    assert effects(journal, "support.priorities.v1")
    assert effects(journal, "support.questions.v1")


def test_newest_report_is_what_the_learners_quality_was(
    warehouse: Warehouse, journal: Journal
) -> None:
    last = effects(journal, QUALITY_TOPIC.name)[-1]["revision"]
    newest = [each for each in effects(journal, QUALITY_TOPIC.name) if each["revision"] == last]
    wanted = {
        (each["learner"], each["metric"], each["segment"], each["maturity"]): each["value"]
        for each in newest
        if each["kind"] == "figure"
    }
    found = answers(warehouse, f"SELECT * FROM scorecards WHERE revision = {last}")
    assert {
        (row["learner"], row["metric"], row["segment"], row["maturity"]): row["value"]
        for row in found
    } == wanted
    assert {learner for learner, *_ in wanted} >= {"category", "risk", "anomaly"}
    trust = answers(warehouse, "SELECT learner, trusted FROM learner_trust")
    assert {row["learner"]: row["trusted"] == 1 for row in trust} == {
        each["learner"]: each["value"] == 1.0 for each in newest if each["kind"] == "verdict"
    }


def test_positions_add_up(warehouse: Warehouse, journal: Journal) -> None:
    accounts = reconcile(warehouse, journal.ends)
    assert [each for each in accounts if not each.agrees] == []
    assert sum(each.in_count for each in accounts) == journal.ends.total()
    assert sum(each.duplicate_count for each in accounts) == 1
    assert journal_gaps(warehouse) == {0: 0}


def test_queue_is_what_the_effects_say(warehouse: Warehouse, journal: Journal) -> None:
    queue: dict[str, str] = {}
    for record in journal.records:
        decision = record.get("decision", {})
        for effect in record.get("effects", ()):
            if effect["topic"] == "support.priorities.v1":
                queue[effect["value"]["ticket_id"]] = effect["value"]["priority"]
        if record["kind"] == "ticket" and decision["status"] == "closed":
            queue.pop(decision["ticket_id"], None)
    found = answers(warehouse, "SELECT ticket_id, priority FROM current_tickets")
    assert {row["ticket_id"]: row["priority"] for row in found} == queue
    assert [row["priority"] for row in found] == sorted(queue.values())


def test_kpis_add_up_to_the_journal(warehouse: Warehouse, journal: Journal) -> None:
    (sums,) = answers(
        warehouse,
        "SELECT sum(ticket_event_count) AS ticket, sum(transaction_count) AS transaction, "
        "sum(feedback_count) AS feedback, sum(dead_letter_count) AS dead, "
        "sum(duplicate_count) AS duplicate, sum(alert_count) AS alerts FROM kpis_hourly",
    )
    kinds = Counter(record["kind"] for record in journal.records)
    assert sums.pop("alerts") == len(effects(journal, "risk.alerts.v1"))
    assert sums == {kind: kinds[kind] for kind in sums}


def test_reasons_still_add_up_in_the_warehouse(warehouse: Warehouse) -> None:
    (far,) = answers(
        warehouse,
        "SELECT countIf(abs(arraySum(reason_contributions) - score) > 0.01) AS n, count() AS all "
        "FROM priority_changes FINAL",
    )
    assert far["n"] == 0
    assert far["all"] > 0
