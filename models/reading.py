"""What a ticket's text says: language, category, urgency, mood; with the words that decided."""

import math
from collections.abc import Sequence
from typing import Any

from models.features.moment import hour_of, is_weekend
from models.learners.softmax import HashedSoftmaxClassifier
from models.learners.text import HashedText, hash_text
from models.learning import Learners
from models.mood import MOODS, darker, expected_tone, mood_of
from models.policy import URGENCIES, PriorityRules
from models.state import Value
from models.word_lists import Tone, detect_language, read_tone, read_urgency
from schemas.outputs import Choice, Reason

TOP = 3
WORDS = 5


def read_text(
    text: str, language: str | None, learners: Learners, rules: PriorityRules
) -> dict[str, Any]:
    """Give the fields of a ticket decision that come from its text; it is hashed once."""
    hashed = hash_text(text)
    language = (language or detect_language(text)).split("-")[0]
    return {
        "language": language,
        **_read_category(hashed, learners, rules),
        **_read_urgency(text, hashed, learners, rules),
        **_read_mood(text, hashed, learners, rules),
    }


def text_features(
    text: str, language: str, tone: Tone, occurred_ms: int, tier: str
) -> dict[str, float]:
    """Give the features of a ticket that come from its text, its time and its customer's tier."""
    return {
        "text_chars": float(len(text)),
        "chinese": 1.0 if language == "zh" else 0.0,
        "anger": tone.anger,
        "sentiment": tone.sentiment,
        "premium": 0.0 if tier == "standard" else 1.0,
        "hour": hour_of(occurred_ms),
        "weekend": 1.0 if is_weekend(occurred_ms) else 0.0,
    }


def merge_reading(
    ticket: Value, reading: dict[str, Any], reclassify_below: float
) -> dict[str, Any]:
    """Give what holds after a later message: urgency may rise and the mood darken, no more.

    The category changes while the desk does not answer for it, or is not sure of it, and only to
    one of which it is surer.
    """
    doubted = ticket.get("abstained") or ticket["confidence"] < reclassify_below
    if ticket["category"] is not None and not (
        doubted and (reading["category_confidence"] or 0.0) > ticket["confidence"]
    ):
        reading |= {
            "category": ticket["category"],
            "category_confidence": ticket["confidence"],
            "category_threshold": None,
            "abstained": bool(ticket.get("abstained")),
            "category_reasons": [],
        }
    if URGENCIES.index(ticket["urgency"]) <= URGENCIES.index(reading["urgency"]):
        reading |= {
            "urgency": ticket["urgency"],
            "urgency_confidence": None,
            "urgency_source": "carried",
            "urgency_reasons": [],
        }
    mood = ticket.get("mood")
    if mood is not None and darker(mood, reading["mood"]):
        reading |= {
            "mood": mood,
            "mood_confidence": None,
            "mood_source": "carried",
            "mood_reasons": [],
        }
    reading["sentiment"] = min(ticket["sentiment"], reading["sentiment"])
    reading["anger"] = max(ticket["anger"], reading["anger"])
    return reading


def category_threshold(learners: Learners, rules: PriorityRules) -> float:
    """Give the confidence from which on the desk answers for a category.

    It is that of the precision wanted, and out of reach while the quality board does not trust
    the learner.
    """
    if not learners.quality.trusts("category"):
        return math.inf
    threshold = learners.category.confidence_for(rules.category_precision)
    return rules.category_confidence if threshold is None else threshold


def _read_category(hashed: HashedText, learners: Learners, rules: PriorityRules) -> dict[str, Any]:
    """Read the category; below the threshold it is only a guess."""
    choices = rank_classes(learners.category, hashed)
    best = choices[0] if choices else None
    threshold = category_threshold(learners, rules)
    return {
        "category": None if best is None else best["label"],
        "category_confidence": None if best is None else best["probability"],
        "category_threshold": threshold if math.isfinite(threshold) else None,
        "abstained": best is None or best["probability"] < threshold,
        "categories": choices[:TOP],
        "category_reasons": [] if best is None else _reasons(learners.category, hashed, best),
    }


def _read_urgency(
    text: str, hashed: HashedText, learners: Learners, rules: PriorityRules
) -> dict[str, Any]:
    choices = []
    if learners.urgency.lesson_count >= rules.urgency_labels:
        choices = rank_classes(learners.urgency, hashed, URGENCIES)
        if choices and learners.quality.trusts("urgency"):
            by_learner = _by_learner("urgency", learners.urgency, hashed, choices[0])
            return {**by_learner, "urgencies": choices}
    urgency, word = read_urgency(text)
    return {
        "urgency": urgency,
        "urgency_confidence": None,
        "urgency_source": "rules",
        "urgency_reasons": [{"name": "word", "contribution": 1.0, "value": word}],
        "urgencies": choices,
    }


def _read_mood(
    text: str, hashed: HashedText, learners: Learners, rules: PriorityRules
) -> dict[str, Any]:
    choices = []
    if learners.mood.lesson_count >= rules.mood_labels:
        choices = rank_classes(learners.mood, hashed, MOODS)
        if choices and learners.quality.trusts("mood"):
            tone = expected_tone(choices)
            return {
                **_by_learner("mood", learners.mood, hashed, choices[0]),
                "moods": choices,
                "sentiment": tone.sentiment,
                "anger": tone.anger,
            }
    tone = read_tone(text)
    return {
        "mood": mood_of(tone),
        "mood_confidence": None,
        "mood_source": "rules",
        "mood_reasons": [
            {"name": "sentiment", "contribution": tone.sentiment},
            {"name": "anger", "contribution": tone.anger},
        ],
        "moods": choices,
        "sentiment": tone.sentiment,
        "anger": tone.anger,
    }


def _by_learner(
    name: str, learner: HashedSoftmaxClassifier, hashed: HashedText, best: Choice
) -> dict[str, Any]:
    """Give what a learner reads: label, confidence, source and reasons."""
    return {
        name: best["label"],
        f"{name}_confidence": best["probability"],
        f"{name}_source": "learner",
        f"{name}_reasons": _reasons(learner, hashed, best),
    }


def rank_classes(
    learner: HashedSoftmaxClassifier, hashed: HashedText, allowed: Sequence[str] | None = None
) -> list[Choice]:
    """Give the most probable classes, best first; equal ones in order of name."""
    count = TOP + 1 if allowed is None else len(learner.labels)
    ranked = learner.rank_one(hashed, count)
    if allowed is not None:
        ranked = [choice for choice in ranked if choice[0] in allowed]
    return [{"label": label, "probability": share} for label, share in ranked[: TOP + 1]]


def _reasons(learner: HashedSoftmaxClassifier, hashed: HashedText, best: Choice) -> list[Reason]:
    return [
        {"name": word, "contribution": float(effect)}
        for word, effect in learner.explain_one(hashed, best["label"], WORDS)
    ]
