"""A clerk of the support desk: says what a ticket is about when asked, mostly rightly."""

import math
from datetime import datetime
from random import Random
from typing import Any, Final

from schemas.base import milliseconds, moment
from schemas.outputs import Question
from schemas.registry import FEEDBACK_TOPIC
from streams.simulator.hindsight import MOODS
from streams.simulator.phrasebook import CATEGORIES
from streams.simulator.schedule import Scheduled, Truth, scheduled

MEDIAN_DELAY_MS: Final = 40 * 60_000
WRONG_SHARE: Final = 0.02
"""Who is asked looks closely: less often wrong than labels that nobody asked for."""


class Clerk:
    """Answers questions. Pure: an answer depends on the question, the truth and the seed alone.

    Args:
        truth: Filled by the schedule that opened the tickets.
        seed: The same seed gives the same answers.
        answered_share: Share of questions that get an answer at all, 0 to 1.
    """

    def __init__(self, truth: Truth, seed: int, answered_share: float = 0.9) -> None:
        self._truth = truth
        self._seed = seed
        self._answered_share = answered_share

    def answer(self, question: Question) -> Scheduled | None:
        """Give the feedback that answers a question, minutes to hours later, or none."""
        ticket_id = question["ticket_id"]
        category = self._truth.tickets.get(ticket_id)
        rng = Random(f"{self._seed}:clerk:{question['id']}")
        if category is None or rng.random() >= self._answered_share:
            return None
        if rng.random() < WRONG_SHARE:
            category = rng.choice(CATEGORIES)
        opened_ms = milliseconds(datetime.fromisoformat(question["occurred_at"]))
        at_ms = opened_ms + 60_000 + int(rng.lognormvariate(math.log(MEDIAN_DELAY_MS), 0.8))
        when = moment(at_ms)
        event: dict[str, Any] = {
            "event_id": f"answer-{question['id']}", "tenant": question["tenant"],
            "customer_id": question["customer_id"], "occurred_at": when, "known_at": when,
            "source": "agent", "type": "feedback.ticket", "ticket_id": ticket_id,
            "category": category,
        }  # fmt: skip
        if ticket_id in self._truth.moods:
            mood = self._truth.moods[ticket_id]
            event["mood"] = rng.choice(MOODS) if rng.random() < WRONG_SHARE else mood
        return scheduled(at_ms, FEEDBACK_TOPIC.name, event)
