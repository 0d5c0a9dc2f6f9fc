"""What is read in a ticket: when the desk answers for a category, and how mood is told."""

from typing import Any

import pytest
from memory_desk import Desk, policy_with

from models.learning import Learners
from models.mood import MOODS, expected_tone, mood_of, tone_of
from models.policy import PriorityRules
from models.reading import read_text
from models.word_lists import Tone

RULES = policy_with().priority


class StubCategory:
    """A category learner of known confidence."""

    def __init__(self, threshold: float | None = None, **shares: float) -> None:
        self.shares = shares
        self.threshold = threshold
        self.lesson_count = 1
        self.asked_for: list[float] = []

    def rank_one(self, text: object, count: int) -> list[tuple[str, float]]:
        return sorted(self.shares.items(), key=lambda share: (-share[1], share[0]))[:count]

    def explain_one(self, text: object, label: str, top: int) -> list[tuple[str, float]]:
        return [("(bias)", 0.0)]

    def confidence_for(self, precision: float) -> float | None:
        self.asked_for.append(precision)
        return self.threshold


def read_with(stub: StubCategory, rules: PriorityRules = RULES) -> dict[str, Any]:
    learners = Learners()
    learners.category = stub  # type: ignore[assignment]  # a stub with its verbs
    return read_text("where is my card", None, learners, rules)


def test_category_without_any_label_is_abstained_from() -> None:
    read = read_text("where is my card", None, Learners(), RULES)
    assert (read["category"], read["abstained"], read["categories"]) == (None, True, [])


@pytest.mark.parametrize(
    ("threshold", "share", "abstained"),
    [(0.6, 0.59, True), (0.6, 0.6, False), (None, 0.69, True), (None, 0.7, False)],
)
def test_category_below_the_threshold_is_a_guess_with_all_its_probabilities(
    threshold: float | None, share: float, abstained: bool
) -> None:
    stub = StubCategory(threshold, card=share, fees=0.2, app=0.1, pin=0.01)
    read = read_with(stub)
    assert stub.asked_for == [0.95]
    assert read["abstained"] is abstained
    assert read["category_threshold"] == (
        RULES.category_confidence if threshold is None else threshold
    )
    assert (read["category"], read["category_confidence"]) == ("card", share)
    assert [choice["label"] for choice in read["categories"]] == ["card", "fees", "app"]


def _opened_unsure(answered: bool) -> Desk:
    desk = Desk(policy=policy_with(asking__share=0.0, lessons__ticket_share=0.0), learning=False)
    desk.learners.category = StubCategory(0.5 if answered else 0.65, card=0.6, fees=0.2)  # type: ignore[assignment]
    first = desk.ticket(0)["decision"]
    assert first["abstained"] is not answered
    return desk


def test_abstained_category_may_be_changed_by_a_surer_message() -> None:
    desk = _opened_unsure(answered=False)
    desk.learners.category = StubCategory(0.65, fees=0.64, card=0.2)  # type: ignore[assignment]
    still = desk.ticket(1, type="ticket.message", text="a fee")["decision"]
    assert (still["category"], still["abstained"]) == ("fees", True)
    desk.learners.category = StubCategory(0.65, app=0.63)  # type: ignore[assignment]
    weaker = desk.ticket(2, type="ticket.message", text="an app")["decision"]
    assert (weaker["category"], weaker["abstained"]) == ("fees", True)
    desk.learners.category = StubCategory(0.65, app=0.9)  # type: ignore[assignment]
    sure = desk.ticket(3, type="ticket.message", text="an app")["decision"]
    assert (sure["category"], sure["abstained"]) == ("app", False)
    assert desk.state == desk.folded


def test_answered_category_is_kept() -> None:
    desk = _opened_unsure(answered=True)
    desk.learners.category = StubCategory(0.5, fees=0.99)  # type: ignore[assignment]
    later = desk.ticket(1, type="ticket.message", text="a fee")["decision"]
    assert (later["category"], later["abstained"], later["category_threshold"]) == (
        "card", False, None,
    )  # fmt: skip


def test_person_who_says_the_category_ends_the_abstention() -> None:
    desk = _opened_unsure(answered=False)
    assert desk.priorities[0]["abstained"] is True
    desk.feedback(1, "ticket", ticket_id="k", category="fees", urgency="critical")
    assert desk.priorities[-1]["abstained"] is False
    status = desk.take("ticket", 2, type="ticket.status_changed", ticket_id="k", status="on_hold")
    assert (status["decision"]["category"], status["decision"]["abstained"]) == ("fees", False)


def test_mood_is_told_by_word_rules_until_labels_have_taught_it() -> None:
    learners = Learners()
    for i in range(RULES.mood_labels):
        read = read_text("bananas again", "en", learners, RULES)
        assert (read["mood"], read["mood_source"], read["mood_confidence"]) == (
            "neutral", "rules", None,
        )  # fmt: skip
        learners.mood.learn_one(
            "bananas again" if i % 2 else "fine apples", "angry" if i % 2 else "pleased"
        )
    read = read_text("bananas again", "en", learners, RULES)
    assert (read["mood"], read["mood_source"]) == ("angry", "learner")
    assert read["mood_confidence"] > 0.7
    assert "bananas" in {reason["name"] for reason in read["mood_reasons"]}
    shares = learners.mood.predict_proba_one("bananas again")
    assert read["sentiment"] == round(shares["pleased"] - shares["angry"], 2)
    assert read["anger"] == round(shares["angry"], 2)
    assert read_text("fine apples", "en", learners, RULES)["sentiment"] > 0.5


def test_mood_rules_give_reasons_that_are_the_numbers() -> None:
    read = read_text("This is UNACCEPTABLE! I hate it", "en", Learners(), RULES)
    assert read["mood"] == "angry"
    assert {r["name"]: r["contribution"] for r in read["mood_reasons"]} == {
        "sentiment": read["sentiment"], "anger": read["anger"],
    }  # fmt: skip


def test_mood_numbers_agree_with_the_word() -> None:
    for mood in MOODS:
        tone = tone_of(mood)
        assert mood_of(tone) == mood
        assert expected_tone([{"label": mood, "probability": 1.0}]) == tone
    even = [{"label": mood, "probability": 0.25} for mood in MOODS]
    assert expected_tone(even) == Tone(-0.12, 0.31)  # type: ignore[arg-type]


def test_feedback_on_mood_becomes_a_lesson_and_counts_for_the_priority() -> None:
    desk = Desk(policy=policy_with(asking__share=0.0, lessons__ticket_share=0.0))
    before = desk.ticket(0, text="hello there")["decision"]["tickets"][0]
    after = desk.feedback(1, "ticket", ticket_id="k", mood="angry")["decision"]
    (label,) = after["labels"]
    assert (label["task"], label["label"], label["outcome"]) == ("mood", "angry", "learned")
    assert desk.lessons[-1]["scores"] == {}  # no learner has spoken
    assert desk.learners.mood.lesson_count == 1
    assert after["tickets"][0]["score"] > before["score"]
    message = desk.ticket(2, type="ticket.message", text="thank you, great, perfect")["decision"]
    assert (message["mood"], message["mood_source"], message["anger"]) == ("angry", "carried", 1.0)
    assert desk.state == desk.folded


def test_mood_waits_with_the_rest_of_the_feedback() -> None:
    desk = Desk(policy=policy_with(asking__share=0.0, lessons__ticket_share=0.0))
    desk.feedback(0, "ticket", ticket_id="k", mood="unhappy")
    decision = desk.ticket(1)["decision"]
    assert [label["label"] for label in decision["labels"]] == ["unhappy"]
    ticket = desk.state.get("ticket", "default/k")
    assert ticket is not None
    assert (ticket["mood"], ticket["anger"]) == ("unhappy", 0.25)
    assert desk.state == desk.folded


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我的卡还没到 card", "zh"),
        ("where is my card?", "en"),
        ("app 打不开了", "zh"),
        ("请问 my new credit card number has not arrived yet since last week", "en"),
        ("12345 !!!", "en"),
    ],
)
def test_language_is_told_by_letters_without_cutting_words(text: str, language: str) -> None:
    read = read_text(text, None, Learners(), RULES)
    assert read["language"] == language
    assert read_text(text, "zh-Hans", Learners(), RULES)["language"] == "zh"


def test_mixed_text_is_read_in_both_languages() -> None:
    learners = Learners()
    for _ in range(12):
        learners.category.learn_one("My card 被盗刷了 yesterday", "stolen")
        learners.category.learn_one("转账 transfer 还没到账", "transfer")
    for text, label in (("被盗刷", "stolen"), ("my card", "stolen"), ("到账", "transfer")):
        assert read_text(text, None, learners, RULES)["category"] == label
