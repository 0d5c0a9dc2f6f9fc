"""What a ticket's text says: language, category, urgency, mood; with the words that decided."""

from collections.abc import Sequence
from typing import Any

from models.features.moment import hour_of, is_weekend
from models.learners.softmax import HashedSoftmaxClassifier
from models.learners.text import HashedText, hash_text
from models.learning import Learners
from models.policy import URGENCIES, PriorityRules
from models.word_lists import Mood, detect_language, read_mood, read_urgency
from schemas.decisions import Choice
from schemas.outputs import Reason

TOP = 3
WORDS = 5


def read_text(
    text: str, language: str | None, learners: Learners, rules: PriorityRules
) -> dict[str, Any]:
    """Give the fields of a ticket decision that come from its text."""
    hashed = hash_text(text)
    mood = read_mood(text)
    language = (language or detect_language(text)).split("-")[0]
    categories = _choices(learners.category, hashed, None)
    category = categories[0]["label"] if categories else None
    return {
        "language": language,
        "category": category,
        "category_confidence": categories[0]["probability"] if categories else None,
        "categories": categories[:TOP],
        "category_reasons": _reasons(learners.category, hashed, category),
        **_read_urgency(text, hashed, learners, rules),
        "sentiment": mood.sentiment,
        "anger": mood.anger,
    }


def text_features(
    text: str, language: str, mood: Mood, occurred_ms: int, tier: str
) -> dict[str, float]:
    """Give the features of a ticket that come from its text, its time and its customer's tier."""
    return {
        "text_chars": float(len(text)),
        "chinese": 1.0 if language == "zh" else 0.0,
        "anger": mood.anger,
        "sentiment": mood.sentiment,
        "premium": 0.0 if tier == "standard" else 1.0,
        "hour": hour_of(occurred_ms),
        "weekend": 1.0 if is_weekend(occurred_ms) else 0.0,
    }


def _read_urgency(
    text: str, hashed: HashedText, learners: Learners, rules: PriorityRules
) -> dict[str, Any]:
    if learners.urgency.lesson_count >= rules.urgency_labels:
        choices = _choices(learners.urgency, hashed, URGENCIES)
        if choices:
            best = choices[0]
            return {
                "urgency": best["label"],
                "urgency_confidence": best["probability"],
                "urgency_source": "learner",
                "urgency_reasons": _reasons(learners.urgency, hashed, best["label"]),
            }
    urgency, word = read_urgency(text)
    return {
        "urgency": urgency,
        "urgency_confidence": None,
        "urgency_source": "rules",
        "urgency_reasons": [{"name": "word", "contribution": 1.0, "value": word}],
    }


def _choices(
    learner: HashedSoftmaxClassifier, hashed: HashedText, allowed: Sequence[str] | None
) -> list[Choice]:
    """Give the classes, most probable first; equal ones in order of name."""
    ranked = sorted(
        (-share, label)
        for label, share in learner.predict_proba_one(hashed).items()
        if allowed is None or label in allowed
    )
    return [{"label": label, "probability": -share} for share, label in ranked[: TOP + 1]]


def _reasons(
    learner: HashedSoftmaxClassifier, hashed: HashedText, label: str | None
) -> list[Reason]:
    if label is None:
        return []
    return [
        {"name": word, "contribution": float(effect)}
        for word, effect in learner.explain_one(hashed, label, WORDS)
    ]
