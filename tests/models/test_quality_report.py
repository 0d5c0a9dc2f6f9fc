"""Reports are effects of ticks, made once; learners that are worse than their baselines rest."""

import copy
import random
from typing import Any

import pytest
from memory_desk import Desk, StubRisk, policy_with
from quality_lessons import judged, lesson

from models.core import advance, decide_tick, is_tick_due
from models.quality import report as report_module
from models.quality.board import LEARNERS, QualityBoard
from schemas.codec import decode_json, encode
from schemas.quality import QUALITY
from schemas.registry import QUALITY_TOPIC

DAY = 1_440.0


def learned(count: int = 40) -> Desk:
    desk = Desk(policy=policy_with(lessons__ticket_share=0.5, lessons__anomaly_share=0.5))
    for i in range(count):
        desk.ticket(i, f"k{i}", text="card lost" if i % 2 else "app fails", customer_id=f"c{i}")
        desk.feedback(
            i + 0.5, "ticket", ticket_id=f"k{i}", category="card" if i % 2 else "app",
            urgency="high", mood="neutral", customer_id=f"c{i}",
        )  # fmt: skip
        desk.transaction(i, 10 + i, transaction_id=f"s{i}", terminal_id="x")
        desk.feedback(i + 0.7, "transaction", transaction_id=f"s{i}", is_fraud=i % 9 == 0)
    return desk


def reported(record: dict[str, Any] | None) -> list[dict[str, Any]]:
    effects = [] if record is None else record["effects"]
    return [each["value"] for each in effects if each["topic"] == QUALITY_TOPIC.name]


def test_tick_reports_on_every_learner_as_an_effect() -> None:
    desk = learned()
    revision = desk.learners.revision
    record = desk.tick(60)
    values = reported(record)
    assert record is not None
    assert record["learner"]["revision"] == revision
    assert [v["learner"] for v in values if v["kind"] == "verdict"] == list(LEARNERS)
    found = {(v["learner"], v["metric"]) for v in values if v["kind"] == "figure"}
    assert found >= {("category", "accuracy"), ("risk", "average_precision"), ("risk", "ece")}
    for index, effect in enumerate(record["effects"]):
        if effect["topic"] == QUALITY_TOPIC.name:
            value = effect["value"]
            QUALITY.validate_python(value)
            assert value["id"] == f"0/{record['number']}/{index}"
            assert effect["key"] == value["learner"]
            assert (value["revision"], value["core"]) == (revision, "2")
    assert record["decision"]["quality"]["record_count"] == len(values)
    figure = next(v for v in values if (v["learner"], v["metric"]) == ("category", "accuracy"))
    assert 30 <= figure["window_count"] <= 40
    assert 0 <= figure["missing_count"] <= 25


def test_report_is_made_once_and_again_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "EVERY_LESSONS", 20)
    desk = learned()
    assert reported(desk.tick(60))
    assert reported(desk.tick(61)) == []
    assert reported(desk.tick(3 * DAY)) == []  # nothing was learned
    desk.ticket(3 * DAY, "new")
    desk.feedback(3 * DAY + 1, "ticket", ticket_id="new", category="card")
    assert reported(desk.tick(3 * DAY + 5))  # a lesson, and a day has passed
    desk.feedback(3 * DAY + 6, "ticket", ticket_id="new", category="app")
    assert reported(desk.tick(3 * DAY + 7)) == []
    for i in range(30):
        desk.ticket(3 * DAY + 8, f"n{i}")
        desk.feedback(3 * DAY + 8, "ticket", ticket_id=f"n{i}", category="card")
    assert reported(desk.tick(3 * DAY + 9))  # as many lessons as are due


def test_change_of_trust_is_reported_with_the_next_tick() -> None:
    desk = learned()
    assert reported(desk.tick(60))
    for _ in range(150):
        wrong = lesson("category", "app", {"card": 0.9}, known_ms=desk.ms(61))
        desk.learners.fold(encode({**wrong, "asked": False}), desk.learners.revision)
    assert not desk.learners.quality.trusts("category")
    (verdict,) = [
        each for each in reported(desk.tick(62))
        if each["kind"] == "verdict" and each["learner"] == "category"
    ]  # fmt: skip
    assert verdict["value"] == 0.0
    assert verdict["baseline"] < -0.02
    assert reported(desk.tick(63)) == []


def test_signal_is_reported_once() -> None:
    desk = learned()
    assert reported(desk.tick(60))
    draw = random.Random(3)
    for n in range(1_200):
        amount = draw.uniform(10, 20) if n < 600 else draw.uniform(1_000, 2_000)
        sample = lesson(
            "anomaly", None, {}, features={"amount": amount}, known_ms=desk.ms(61),
            propensity=0.2, label_source="sample",
        )  # fmt: skip
        desk.learners.fold(encode(sample), desk.learners.revision)
    signals = [each for each in reported(desk.tick(2 * DAY)) if each["kind"] == "drift"]
    assert {(each["learner"], each["metric"]) for each in signals} == {("risk", "amount/adwin")}
    assert all(each["value"] > each["baseline"] + 0.1 for each in signals)
    desk.transaction(4 * DAY, transaction_id="t")
    desk.feedback(4 * DAY + 1, "transaction", transaction_id="t", is_fraud=True)
    again = reported(desk.tick(4 * DAY + 2))
    assert again
    assert not [each for each in again if each["kind"] == "drift"]


def test_only_the_first_partition_reports() -> None:
    desk = learned()
    other = Desk(partition=1, partition_count=2, learners=desk.learners)
    assert not is_tick_due(desk.ms(60), other.state, desk.learners, 1)
    assert other.tick(60) is None
    assert is_tick_due(desk.ms(60), desk.state, desk.learners, 0)


def test_report_is_the_same_when_decided_again_and_folds_as_live() -> None:
    desk = learned()
    before, stamp = copy.deepcopy(desk.state), desk.stamp()
    record = desk.tick(60)
    assert record is not None
    again = decide_tick(desk.ms(60), before, desk.learners, desk.policy, stamp)
    assert again is not None
    assert encode(again) == encode({k: v for k, v in record.items() if k != "number"})
    before.apply(advance(decode_json(encode(record)), before))
    assert before.rooms == desk.state.rooms == desk.folded.rooms
    assert before.get("ledger", "") is not None
    assert len(encode(before.get("ledger", ""))) < 10_000


def test_nothing_is_reported_before_the_first_lesson() -> None:
    assert Desk().tick(60) is None


# -- falling back ---------------------------------------------------------------------------------


class Inverted(StubRisk):
    """Finds small amounts suspicious."""

    def explain_one(self, features: dict[str, float]) -> dict[str, float]:
        return {"(bias)": 3.0, "amount": -min(features["amount"], 1_000.0) / 100.0}


def pay(desk: Desk, count: int) -> dict[str, Any]:
    """Frauds of 900 and three times as many honest payments of 20, all labelled at once."""
    decision: dict[str, Any] = {}
    for i in range(count):
        for amount, fraud in ((900, True), (20, False), (25, False), (18, False)):
            decision = desk.transaction(0, amount, customer_id=f"p{i}")["decision"]
            desk.feedback(
                0, "transaction", transaction_id=decision["transaction_id"], is_fraud=fraud,
                customer_id=f"p{i}",
            )  # fmt: skip
    return decision


def test_risk_falls_back_to_the_scorecard_and_comes_back() -> None:
    desk = Desk(policy=policy_with(lessons__anomaly_share=0.0))
    desk.learners.risk = StubRisk()  # type: ignore[assignment]
    good = pay(desk, 70)
    assert desk.learners.quality.trusts("risk")
    assert good["score_kind"] == "risk"
    assert good["score"] == pytest.approx(good["risk"])
    desk.learners.risk = Inverted()  # type: ignore[assignment]
    bad = pay(desk, 160)
    assert not desk.learners.quality.trusts("risk")
    assert bad["score_kind"] == "anomaly"
    assert bad["score"] == bad["scorecard"] < 0.1
    assert bad["risk"] > 0.9  # it is still asked, or it could never recover
    assert bad["blend"] == pytest.approx(bad["risk"])
    desk.learners.risk = StubRisk()  # type: ignore[assignment]
    for _ in range(1_000):
        for fraud, score in ((True, 0.9), (False, 0.05), (False, 0.03), (False, 0.02)):
            desk.learners.quality.learn(judged(fraud, score))
    assert desk.learners.quality.trusts("risk")
    again = pay(desk, 1)
    assert (again["score_kind"], again["score"]) == ("risk", pytest.approx(again["risk"]))


class Stub:
    """Reads the same class in every text."""

    lesson_count = 10**6

    def __init__(self, label: str) -> None:
        self.label = label

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.label,)

    def rank_one(self, hashed: Any, count: int) -> list[tuple[str, float]]:
        return [(self.label, 0.98)]

    def explain_one(self, hashed: Any, label: str, count: int) -> list[tuple[str, float]]:
        return []

    def confidence_for(self, precision: float) -> float:
        return 0.5

    def learn_one(self, text: str, label: str, weight: float = 1.0, **ids: object) -> None:
        pass


def ask(desk: Desk, count: int, **labels: str) -> dict[str, Any]:
    decision: dict[str, Any] = {}
    for _ in range(count):
        name = f"q{len(desk.records)}"
        text = "somebody has stolen my card"
        decision = desk.ticket(0, name, text=text, customer_id=name)["decision"]
        desk.feedback(0, "ticket", ticket_id=name, customer_id=name, **labels)
    return decision


def test_tickets_are_read_without_a_learner_that_is_worse_until_it_recovers() -> None:
    desk = Desk()
    learners: Any = desk.learners
    learners.category, learners.urgency, learners.mood = Stub("fees"), Stub("low"), Stub("pleased")
    truth = {"category": "theft", "urgency": "critical", "mood": "neutral"}
    first = ask(desk, 1, **truth)
    assert (first["category"], first["urgency"], first["mood"]) == ("fees", "low", "pleased")
    assert not first["abstained"]
    bad = ask(desk, 150, **truth)
    assert not any(map(learners.quality.trusts, truth))
    assert (bad["abstained"], bad["category_threshold"]) == (True, None)
    assert (bad["urgency"], bad["urgency_source"]) == ("critical", "rules")
    assert bad["mood_source"] == "rules"
    assert bad["urgencies"][0]["label"] == "low"  # what it says is remembered, or it stayed so
    for task, label in truth.items():
        setattr(learners, task, Stub(label))
        for n in range(3_000):  # now and then the rules are wrong, and it is not
            text = "somebody has stolen my card" if n % 9 else "hello, a scandal!!! 太差了!!!"
            learners.quality.learn(lesson(task, label, {label: 0.98}, text=text))
    assert all(map(learners.quality.trusts, truth))
    good = ask(desk, 1, **truth)
    assert not good["abstained"]
    assert good["urgency_source"] == good["mood_source"] == "learner"


def test_unusual_rank_that_misleads_does_not_count() -> None:
    desk = Desk()
    board: QualityBoard = desk.learners.quality
    for n in range(2_000):
        board.learn(lesson("risk", n % 4 == 0, {"anomaly": 0.05 if n % 4 == 0 else 0.9}))
    assert not board.trusts("anomaly")
    decision = desk.transaction(0, 20)["decision"]
    contributions = {each["name"]: each["contribution"] for each in decision["reasons"]}
    assert contributions.get("anomaly", 0.0) == 0.0
