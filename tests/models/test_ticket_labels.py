"""Who is asked about tickets, which go out unlabelled, what becomes of the labels."""

import copy
from typing import Any

import pytest
from memory_desk import Desk, policy_with

from models.asking import ASKING
from models.core import advance
from models.learners.text import HashedText, hash_text
from models.policy import POLICY_V1, Policy
from models.state import MemoryState
from schemas.codec import encode
from schemas.errors import MisconfiguredError
from schemas.registry import QUESTIONS

TEXTS = (
    "my card was stolen in Berlin",
    "how do I change my address",
    "卡被盗刷了，怎么办",
    "the refund of last week is missing",
    "two payments for one coffee",
)


def play(desk: Desk, count: int, label: bool = True) -> None:
    """Open tickets, each labelled a while after it came."""
    for i in range(count):
        desk.ticket(i, f"k{i}", text=TEXTS[i % 5], customer_id=f"c{i % 7}")
        if label and i >= 10:
            j = i - 10
            desk.feedback(
                i + 0.5,
                "ticket",
                ticket_id=f"k{j}",
                customer_id=f"c{j % 7}",
                category=f"is-{j % 5}",
            )


def opened(desk: Desk) -> dict[str, dict[str, Any]]:
    return {
        record["decision"]["ticket_id"]: record["decision"]
        for record in desk.records
        if record["kind"] == "ticket" and record["decision"]["type"] == "ticket.opened"
    }


def test_asked_tickets_give_one_question_each_and_lessons_with_their_propensity() -> None:
    desk = Desk(policy=policy_with(asking__share=0.4, lessons__ticket_share=0.0))
    play(desk, 200)
    decisions = opened(desk)
    questions = desk.effects(QUESTIONS.name)
    assert [q["ticket_id"] for q in questions] == [k for k, d in decisions.items() if d["asked"]]
    for question in questions:
        decision = decisions[question["ticket_id"]]
        assert question["propensity"] == decision["ask_propensity"]
        assert question["categories"] == decision["categories"]
    assert {question["reason"] for question in questions} == {"uncertain", "exploration"}
    lessons = desk.lessons
    assert {lesson["asked"] for lesson in lessons} == {True, False}
    for lesson in lessons:
        decision = decisions[lesson["subject_id"]]
        assert lesson["asked"] == decision["asked"]
        assert lesson["propensity"] == (decision["ask_propensity"] if decision["asked"] else 1.0)
    assert any(lesson["propensity"] < 1.0 for lesson in lessons)


def test_label_that_was_asked_for_counts_for_the_tickets_that_were_not() -> None:
    class Heard(list[float]):
        labels = ()
        lesson_count = 0

        def learn_one(self, text: object, label: str, w: float, **ids: object) -> None:
            self.append(w)

    desk = Desk(policy=policy_with(asking__share=0.4, lessons__ticket_share=0.0), learning=False)
    play(desk, 60)
    heard = Heard()
    desk.learners.category = heard  # type: ignore[assignment]  # it only listens
    for lesson in desk.lessons:
        desk.learners.learn(lesson)  # type: ignore[arg-type]
    assert heard == [
        1.0 / lesson["propensity"] if lesson["asked"] else 1.0 for lesson in desk.lessons
    ]
    assert max(heard) > 2.0


def test_questions_hold_the_policys_budget() -> None:
    desk = Desk(policy=policy_with(asking__share=0.3, lessons__ticket_share=0.0), learning=False)
    play(desk, 400, label=False)
    asked_count = sum(decision["asked"] for decision in opened(desk).values())
    assert abs(asked_count - 0.3 * 400) <= 10
    asking = desk.state.get("ledger", ASKING)
    assert asking is not None
    assert (asking["seen"], asking["asked"], asking["share"]) == (400, asked_count, 0.3)
    assert desk.state == desk.folded


def test_question_text_stays_where_it_is() -> None:
    desk = Desk(policy=policy_with(asking__share=1.0))
    desk.ticket(0, text="my secret story")
    (question,) = desk.effects(QUESTIONS.name)
    assert "secret" not in str(question)


def test_ticket_that_is_sent_again_is_asked_about_once() -> None:
    desk = Desk(policy=policy_with(asking__share=1.0))
    desk.ticket(0, event_id="e")
    again = desk.ticket(0, event_id="e")
    assert again["kind"] == "duplicate"
    assert len(desk.effects(QUESTIONS.name)) == 1


def test_ticket_whose_category_is_known_already_is_no_candidate() -> None:
    desk = Desk(policy=policy_with(asking__share=1.0, lessons__ticket_share=0.0))
    desk.feedback(0, "ticket", ticket_id="k", category="card")
    desk.feedback(0, "ticket", ticket_id="other", urgency="low")
    known = desk.ticket(1, "k")["decision"]
    assert (known["asked"], known["ask_propensity"], known["ask_share"]) == (False, None, None)
    assert (desk.lessons[0]["asked"], desk.lessons[0]["propensity"]) == (False, 1.0)
    assert desk.state.get("ledger", ASKING) is None
    assert desk.ticket(2, "other")["decision"]["asked"]
    assert desk.lessons[1]["asked"] is False  # it was there before anybody was asked
    assert desk.state == desk.folded


def test_messages_and_other_events_are_never_asked_about() -> None:
    desk = Desk(policy=policy_with(asking__share=1.0))
    desk.ticket(0)
    message = desk.ticket(1, type="ticket.message", text="hello?")
    assert (message["decision"]["asked"], message["decision"]["ask_propensity"]) == (False, None)


def test_policy_that_asks_nothing_counts_nothing() -> None:
    desk = Desk(policy=policy_with(asking__share=0.0))
    decision = desk.ticket(0)["decision"]
    assert (decision["asked"], decision["ask_propensity"]) == (False, None)
    assert desk.state.get("ledger", ASKING) is None


def test_policy_made_before_there_were_questions_asks_none() -> None:
    content = copy.deepcopy(POLICY_V1)
    del content["asking"], content["lessons"]["ticket_share"]
    for name in ("mood_labels", "category_precision", "category_confidence"):
        del content["priority"][name]
    policy = Policy.from_content(content)
    assert (policy.asking.share, policy.lessons.ticket_share) == (0.0, 0.0)
    assert policy.priority.category_confidence == POLICY_V1["priority"]["category_confidence"]


def test_sampled_tickets_go_out_unlabelled_and_teach_nothing() -> None:
    desk = Desk(policy=policy_with(lessons__ticket_share=0.3, asking__share=0.0))
    untaught = [desk.learners.category.digest(), desk.learners.urgency.digest()]
    play(desk, 300, label=False)
    samples = desk.lessons
    assert 60 < len(samples) < 120
    for lesson in samples:
        decision = opened(desk)[lesson["subject_id"]]
        assert (lesson["task"], lesson["label"], lesson["label_source"]) == (
            "category", None, "sample",
        )  # fmt: skip
        assert (lesson["propensity"], lesson["asked"]) == (0.3, False)
        assert lesson["text"]
        assert decision["labels"][0]["outcome"] == "sampled"
        assert lesson["known_ms"] == lesson["occurred_ms"]
    assert [desk.learners.category.digest(), desk.learners.urgency.digest()] == untaught
    assert desk.learners.skipped == 0


def test_sample_does_not_stand_in_for_the_label_that_comes_later() -> None:
    desk = Desk(policy=policy_with(lessons__ticket_share=1.0))
    desk.ticket(0)
    desk.feedback(5, "ticket", ticket_id="k", category="card")
    sample, lesson = desk.lessons
    assert (sample["label"], lesson["label"], lesson["corrects"]) == (None, "card", None)
    assert desk.learners.category.labels == ("card",)


def test_records_of_the_core_before_still_fold() -> None:
    """A desk that has lost its store folds a journal that began with core 1."""
    desk = Desk(policy=policy_with(asking__share=0.0, lessons__ticket_share=0.0))
    play(desk, 30)
    desk.ticket(
        40, "k1", type="ticket.message", text="UNACCEPTABLE, still nothing", customer_id="c1"
    )
    desk.feedback(41, "ticket", ticket_id="later", category="card", customer_id="c1")
    new = {
        "ticket": (
            "abstained", "category_threshold", "asked", "ask_propensity", "ask_share", "mood",
            "mood_confidence", "mood_source", "mood_reasons",
        ),
        "feedback": ("mood",),
    }  # fmt: skip
    state = MemoryState()
    for record in desk.records:
        old = copy.deepcopy(record)
        for name in new.get(record["kind"], ()):
            del old["decision"][name]
        state.apply(advance(old, state))
    assert set(state.rooms) == set(desk.state.rooms)
    desk.state, desk.folded = state, copy.deepcopy(state)  # and goes on with it
    said = desk.ticket(50, "k1", type="ticket.message", text="you thieves!", customer_id="c1")
    assert said["decision"]["mood"] == "angry"
    desk.ticket(51, "later", customer_id="c1")
    assert desk.lessons[-1]["label"] == "card"
    assert desk.state == desk.folded


def test_lesson_of_the_core_before_is_still_learned() -> None:
    desk = Desk(policy=policy_with(asking__share=0.0, lessons__ticket_share=0.0), learning=False)
    desk.ticket(0)
    desk.feedback(1, "ticket", ticket_id="k", category="card")
    (lesson,) = desk.lessons
    del lesson["asked"]
    desk.learners.fold(encode(lesson), 0)
    assert (desk.learners.skipped, desk.learners.category.labels) == (0, ("card",))


def test_policy_names_every_fault_of_what_is_asked_and_answered() -> None:
    with pytest.raises(MisconfiguredError) as caught:
        policy_with(
            asking__share=1.5, asking__mode="soft", asking__floor=0.0, lessons__ticket_share=-1,
            priority__category_precision=2, priority__category_confidence="high",
            priority__mood_labels=0,
        )  # fmt: skip
    for path in (
        "asking.share", "asking.mode", "asking.floor", "lessons.ticket_share",
        "priority.category_precision", "priority.category_confidence", "priority.mood_labels",
    ):  # fmt: skip
        assert path in str(caught.value)
    assert "margin, random" in str(caught.value)


def test_text_is_hashed_once_for_all_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def count(text: str) -> HashedText:
        hashed.append(text)
        return hash_text(text)

    for module in ("models.reading", "models.learning"):
        monkeypatch.setattr(f"{module}.hash_text", count)
    desk = Desk(policy=policy_with(asking__share=0.0, lessons__ticket_share=0.0))
    desk.ticket(0, text="read by three heads")
    assert hashed == ["read by three heads"]
    desk.feedback(1, "ticket", ticket_id="k", category="card", urgency="low", mood="angry")
    assert [lesson["task"] for lesson in desk.lessons] == ["category", "urgency", "mood"]
    assert len(hashed) == 2
    heads = (desk.learners.category, desk.learners.urgency, desk.learners.mood)
    assert [head.lesson_count for head in heads] == [1, 1, 1]
