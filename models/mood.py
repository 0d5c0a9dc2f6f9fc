"""A ticket's mood in one word, and as the two numbers that priorities are made of."""

from collections.abc import Sequence

from models.word_lists import Tone
from schemas.feedback import Mood
from schemas.outputs import Choice

MOODS: tuple[Mood, ...] = ("angry", "unhappy", "neutral", "pleased")
"""Darkest first."""

_TONES: dict[Mood, Tone] = {
    "angry": Tone(-1.0, 1.0),
    "unhappy": Tone(-0.5, 0.25),
    "neutral": Tone(0.0, 0.0),
    "pleased": Tone(1.0, 0.0),
}


def tone_of(mood: Mood) -> Tone:
    """Give the numbers of a mood that is certain.

    >>> tone_of("unhappy")
    Tone(sentiment=-0.5, anger=0.25)
    """
    return _TONES[mood]


def expected_tone(choices: Sequence[Choice]) -> Tone:
    """Give the numbers that the moods' probabilities lead to expect, to two decimals.

    >>> angry: Choice = {"label": "angry", "probability": 0.8}
    >>> expected_tone([angry, {"label": "neutral", "probability": 0.2}])
    Tone(sentiment=-0.8, anger=0.8)
    """
    weights = {choice["label"]: choice["probability"] for choice in choices}
    total = sum(weights.get(mood, 0.0) for mood in MOODS) or 1.0
    sentiment = sum(weights.get(mood, 0.0) * _TONES[mood].sentiment for mood in MOODS)
    anger = sum(weights.get(mood, 0.0) * _TONES[mood].anger for mood in MOODS)
    return Tone(round(sentiment / total, 2), round(anger / total, 2))


def mood_of(tone: Tone) -> Mood:
    """Give the mood that the word lists' numbers stand for.

    >>> mood_of(Tone(-0.67, 0.5)), mood_of(Tone(-0.5, 0.0)), mood_of(Tone(0.5, 0.0))
    ('angry', 'unhappy', 'neutral')
    """
    if tone.anger >= 0.5:
        return "angry"
    if tone.sentiment <= -0.5:
        return "unhappy"
    return "pleased" if tone.sentiment >= 0.6 else "neutral"


def darker(first: Mood, second: Mood) -> bool:
    """Tell whether the first mood is at least as dark as the second.

    >>> darker("angry", "neutral"), darker("pleased", "neutral")
    (True, False)
    """
    return MOODS.index(first) <= MOODS.index(second)
