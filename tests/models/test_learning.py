from memory_desk import Desk

from models.learning import GENESIS, Learners
from models.reading import read_text
from schemas.codec import chain, encode


def test_learners_are_a_fold_of_the_raw_lessons() -> None:
    desk = Desk()
    for i in range(40):
        desk.ticket(i, f"k{i}", text="card is lost" if i % 2 else "app does not open")
        desk.feedback(i + 0.5, "ticket", ticket_id=f"k{i}", category="card" if i % 2 else "app")
        desk.transaction(i, 10 + i, transaction_id=f"s{i}", terminal_id="x")
        desk.feedback(i + 0.7, "transaction", transaction_id=f"s{i}", is_fraud=i % 9 == 0)
    again = Learners()
    for offset, lesson in enumerate(desk.lessons):
        again.fold(encode(lesson), offset)
    assert again.revision == desk.learners.revision == len(desk.lessons)
    assert again.digest == desk.learners.digest
    assert again.content_digest() == desk.learners.content_digest()
    assert again.content_digest() != Learners().content_digest()


def test_malformed_lesson_is_skipped_but_chained() -> None:
    learners = Learners()
    learners.fold(b"{", 0)
    learners.fold(b'{"id": 1}', 1)
    assert (learners.revision, learners.skipped) == (2, 2)
    assert learners.digest == chain(chain(GENESIS, b"{"), b'{"id": 1}')
    assert learners.content_digest() == Learners().content_digest()


def test_fingerprint_is_stable() -> None:
    assert Learners.fingerprint() == Learners.fingerprint()
    assert len(Learners.fingerprint()) == 32


def test_category_is_decided_from_what_was_taught() -> None:
    desk = Desk()
    for i in range(30):
        desk.ticket(i, f"k{i}", text="my card is lost" if i % 2 else "the app does not open")
        desk.feedback(i, "ticket", ticket_id=f"k{i}", category="card" if i % 2 else "app")
    decision = desk.ticket(60, "new", text="lost card")["decision"]
    assert decision["category"] == "card"
    assert decision["categories"][0]["probability"] == decision["category_confidence"] > 0.5
    assert {"lost", "card"} & {reason["name"] for reason in decision["category_reasons"]}


def test_urgency_comes_from_word_rules_until_enough_labels() -> None:
    desk = Desk()
    rules = desk.policy.priority
    assert read_text("card stolen", None, desk.learners, rules)["urgency_source"] == "rules"
    for i in range(rules.urgency_labels):
        desk.learners.urgency.learn_one(
            "card stolen" if i % 2 else "hello", "high" if i % 2 else "low"
        )
    reading = read_text("card stolen", None, desk.learners, rules)
    assert (reading["urgency_source"], reading["urgency"]) == ("learner", "high")


def test_message_may_raise_the_urgency_but_not_lower_it() -> None:
    desk = Desk()
    desk.ticket(0, text="my app shows an error")
    raised = desk.ticket(1, type="ticket.message", text="somebody has stolen my card")["decision"]
    assert raised["urgency"] == "critical"
    kept = desk.ticket(2, type="ticket.message", text="请问多久")["decision"]
    assert (kept["urgency"], kept["urgency_source"]) == ("critical", "carried")
    agent = desk.ticket(3, type="ticket.message", author="agent", text="fraud!!!")["decision"]
    assert agent["urgency_source"] == "carried"


def test_language_is_told_by_script() -> None:
    desk = Desk()
    assert desk.ticket(0, "a", text="我的卡还没到")["decision"]["language"] == "zh"
    assert desk.ticket(1, "b", text="where is it")["decision"]["language"] == "en"
    assert desk.ticket(2, "d", text="wo ist sie", language="de-AT")["decision"]["language"] == "de"
