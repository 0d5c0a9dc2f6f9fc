"""What is delivered again teaches nothing again; what corrects is taught as documented."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learner_streams import lesson, small_lesson, ticket
from memory_desk import Desk

from models.learning import Learners
from schemas.codec import encode

RAW = [encode(small_lesson(random.Random(number))) for number in range(60)]


def folded(*lessons: dict[str, Any]) -> Learners:
    learners = Learners()
    for offset, each in enumerate(lessons):
        learners.fold(encode(each), offset)
    return learners


def state(learners: Learners) -> tuple[object, ...]:
    """Everything: what was learned, and how far in which lessons."""
    return (
        learners.content_digest(),
        learners.digest,
        learners.lesson_digest,
        learners.revision,
        learners.skipped,
    )


# -- the same lesson at the same offset ----------------------------------------------------------


def test_lesson_folded_again_changes_nothing() -> None:
    learners = Learners()
    for offset, raw in enumerate(RAW):
        learners.fold(raw, offset)
    before = state(learners)
    for offset, raw in enumerate(RAW):
        learners.fold(raw, offset)
    assert state(learners) == before
    learners.fold(b"{", 3)  # nor does anything else that claims a place already passed
    assert state(learners) == before


@settings(max_examples=15)
@given(st.lists(st.integers(0, len(RAW)), max_size=6))
def test_reader_that_falls_back_learns_each_lesson_once(falls: list[int]) -> None:
    """Whenever it begins again, at whatever offset it has reached: the learners are the same."""
    straight, fallen = Learners(), Learners()
    for offset, raw in enumerate(RAW):
        straight.fold(raw, offset)
    reached = 0
    for back in [*falls, len(RAW)]:
        upto = min(max(reached, back) + 7, len(RAW))
        for offset in range(min(back, reached), upto):
            fallen.fold(RAW[offset], offset)
        reached = upto
    for offset in range(reached, len(RAW)):
        fallen.fold(RAW[offset], offset)
    assert state(fallen) == state(straight)


def test_offsets_with_gaps_are_folded() -> None:
    """A topic written in transactions has offsets without a record."""
    learners = Learners()
    for number, raw in enumerate(RAW[:10]):
        learners.fold(raw, 3 * number)
    assert learners.revision == 28
    assert learners.content_digest() == folded_raw(RAW[:10]).content_digest()


def folded_raw(lessons: list[bytes]) -> Learners:
    learners = Learners()
    for offset, raw in enumerate(lessons):
        learners.fold(raw, offset)
    return learners


# -- the same feedback ---------------------------------------------------------------------------


def test_feedback_delivered_again_teaches_nothing() -> None:
    desk = Desk()
    desk.transaction(0, transaction_id="t", terminal_id="x")
    desk.ticket(1, "k", text="my card is lost")
    fraud: dict[str, Any] = {"what": "transaction", "transaction_id": "t", "is_fraud": True}
    category: dict[str, Any] = {"what": "ticket", "ticket_id": "k", "category": "card"}
    desk.feedback(2, event_id="f1", **fraud)
    desk.feedback(2, event_id="f2", **category)
    assert [each["task"] for each in desk.lessons if each["label"] is not None] == [
        "risk",
        "category",
    ]
    before, count = desk.learners.content_digest(), len(desk.lessons)
    for name in ("f1", "f3"):  # the same event, and another that says the same
        desk.feedback(3, event_id=name, **fraud)
    for name in ("f2", "f4"):
        desk.feedback(3, event_id=name, **category)
    kinds = [record["kind"] for record in desk.records[-4:]]
    assert kinds == ["duplicate", "feedback", "duplicate", "feedback"]
    assert len(desk.lessons) == count
    assert desk.learners.content_digest() == before


# -- corrections ---------------------------------------------------------------------------------


def drawn(task: str, **changes: Any) -> dict[str, Any]:
    rng = random.Random(5)
    found = lesson(rng)
    while found["task"] != task or found["label"] is None:
        found = lesson(rng)
    return found | changes


@pytest.mark.parametrize(
    ("task", "wrong", "right"),
    [("category", "lost", "pin"), ("urgency", "low", "high"), ("risk", True, False)],
)
def test_correction_is_one_more_lesson_for_the_weights(task: str, wrong: Any, right: Any) -> None:
    """The wrong label is not taken back: it is outweighed (and a text's not replayed again)."""
    first = drawn(task, id="0/1/0", label=wrong, label_source="agent", propensity=1.0)
    correcting = first | {"id": "0/2/0", "label": right, "corrects": "0/1/0"}
    unmarked = correcting | {"corrects": None}
    marked = getattr(folded(first, correcting), task)
    plain = getattr(folded(first, unmarked), task)
    x = first["features"] if task == "risk" else first["text"]
    assert marked.predict_proba_one(x) == plain.predict_proba_one(x)
    assert folded(first, correcting).content_digest() != folded(correcting).content_digest()


TEXT = "the app does not open"
WRONG = drawn("category", text=TEXT, label="lost")
RIGHT = WRONG | {"id": "0/7/0", "label": "pin", "corrects": WRONG["id"]}
OTHERS = [
    drawn("category", id=f"0/{number}/1", text=text, label=label)
    for number, (text, label) in enumerate(map(ticket, map(random.Random, range(60))))
]


def test_correction_moves_the_weights_to_what_is_right() -> None:
    before, after = folded(*OTHERS, WRONG), folded(*OTHERS, WRONG, RIGHT)
    assert before.category.predict_one(TEXT) == "lost"
    assert after.category.predict_one(TEXT) == "pin"


def test_corrected_label_does_not_come_back() -> None:
    """Not by replay either: whatever is learned afterwards, the wrong example is not among it."""
    learners = folded(*OTHERS, WRONG, RIGHT)
    for _ in range(3):
        for each in OTHERS:
            learners.fold(encode(each), learners.revision)
        shares = learners.category.predict_proba_one(TEXT)
        assert shares["pin"] > shares["lost"]


@pytest.mark.parametrize("label", [True, False])
def test_correction_replaces_what_is_known_of_a_terminal(label: bool) -> None:
    about = {"terminal_id": "x", "subject_id": "s", "occurred_ms": 1_000, "propensity": 1.0}
    first = drawn("risk", label=label, known_ms=2_000, **about)
    correcting = first | {"label": not label, "known_ms": 9_000, "corrects": first["id"]}
    learners = folded(first, correcting)
    assert learners.knowledge.facts("default", "x", 5_000).label is label
    now = learners.knowledge.facts("default", "x", 10_000)
    assert (now.label, now.fraud_run) == (not label, int(not label))
