"""The desk's way with a ticket and its label, on plain values instead of a journal."""

from dataclasses import dataclass
from typing import NamedTuple, cast

from models.effects import Effects
from models.evaluation.examples import TicketExample
from models.learners.text import hash_text
from models.learning import Learners
from models.policy import PriorityRules
from models.reading import TOP, category_threshold, rank_classes
from models.state import Stamp
from models.teaching import Subject, remember
from schemas.outputs import Choice, Lesson

_TICKET_MS = 60_000
"""Tickets are a minute apart: the files have no times."""


class Reading(NamedTuple):
    """What the desk makes of a text."""

    choices: list[Choice]
    """The most probable classes, best first."""
    answered: bool
    """Sure enough for the policy's precision."""


class DeskReader:
    """Reads and learns categories through the code of the desk.

    Args:
        learners: Fresh ones.
        rules: Of the policy: from which confidence on a category is answered for.
    """

    def __init__(self, learners: Learners, rules: PriorityRules) -> None:
        self.learners = learners
        self._rules = rules

    def rank(self, text: str) -> list[Choice]:
        """Give the most probable classes, best first: what is timed, text in."""
        return rank_classes(self.learners.category, hash_text(text))

    def judge(self, choices: list[Choice]) -> Reading:
        """Tell whether the best class is answered for."""
        threshold = category_threshold(self.learners, self._rules)
        return Reading(choices, bool(choices) and choices[0]["probability"] >= threshold)

    def learn(self, lesson: Lesson) -> None:
        """Learn a lesson."""
        self.learners.learn(lesson)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A ticket whose label comes later."""

    number: int
    row: TicketExample
    text: str
    """As the desk gets it: masked."""
    reading: Reading
    propensity: float
    asked: bool
    """By the desk: else people label of their own accord."""


def lesson_of(late: Waiting, now: int) -> Lesson:
    """Give the lesson that a ticket becomes when ``now`` tickets have come."""
    row, number, reading = late.row, late.number, late.reading
    decision = {
        "category": reading.choices[0]["label"] if reading.choices else None,
        "categories": reading.choices[:TOP],
        "abstained": not reading.answered,
        "amount_at_stake": 0.0,
        "asked": late.asked,
        "ask_propensity": late.propensity,
    }
    event = {"customer_id": "customer", "text": late.text}
    at_ms, known_ms = number * _TICKET_MS, now * _TICKET_MS
    memory = remember(event, decision, {}, at_ms, at_ms, f"0/{number}")
    effects = Effects(Stamp(0, 1, number, known_ms))
    subject = Subject("ticket", "default", row.id, memory)
    subject.teach("category", row.label, "agent", known_ms, memory["propensity"], effects)
    return cast(Lesson, effects.items[0]["value"])
