"""Seeded streams of what learners are taught: tickets, payments, lessons of all tasks."""

import random
from typing import Any

START_MS = 1_772_000_000_000
DAY_MS = 86_400_000
WORDS = ["card", "refund", "pin", "blocked", "fee", "卡片丢失了", "退款还没到", "é", "ﬁne"]
LABELS = ["lost", "refund", "transfer", "pin"]


def ticket(rng: random.Random) -> tuple[str, str]:
    label = rng.choice(LABELS)
    return " ".join([label, *rng.choices(WORDS, k=rng.randrange(6))]), label


def word(rng: random.Random) -> tuple[str, str]:
    """A ticket of a letter: cheap to learn."""
    label = rng.choice(LABELS)
    return label[0] if rng.random() < 0.9 else "x", label


def payment(rng: random.Random) -> tuple[dict[str, float], bool]:
    fraud = rng.random() < 0.2
    x = {f"f{i}": rng.gauss(i * fraud * 0.4, 1.0) for i in range(9)}
    x["flag"] = float(rng.random() < 0.1 + 0.6 * fraud)
    for name in [name for name in x if rng.random() < 0.1]:
        del x[name]
    return x, fraud


def pair(rng: random.Random) -> tuple[dict[str, float], bool]:
    """A payment of two numbers: cheap to learn."""
    fraud = rng.random() < 0.2
    return {"a": rng.random() + 0.5 * fraud, "b": rng.random()}, fraud


def lesson(rng: random.Random) -> dict[str, Any]:
    """A lesson of any task, as the desk writes them."""
    return _lesson(rng, *payment(rng), ticket(rng))


def small_lesson(rng: random.Random) -> dict[str, Any]:
    """The same with few features and short texts: cheap to learn."""
    return _lesson(rng, *pair(rng), word(rng))


def _lesson(
    rng: random.Random, x: dict[str, float], fraud: bool, said: tuple[str, str]
) -> dict[str, Any]:
    text, label = said
    what = rng.random()
    number = rng.randrange(10**9)
    occurred_ms = START_MS + rng.randrange(60 * DAY_MS)
    features = {"amount": 20.0 * abs(rng.gauss(1.0 + fraud, 1.0)), **x}
    taught: dict[str, Any] = {
        "id": f"0/{number}/0",
        "task": "risk",
        "tenant": "default",
        "customer_id": f"c{number % 1_000}",
        "decision_id": f"0/{number}",
        "subject_id": f"s{number}",
        "features": features,
        "text": None,
        "label": fraud,
        "label_source": "chargeback" if fraud else "implicit",
        "scores": {"risk": rng.random(), "anomaly": rng.random(), "scorecard": rng.random()},
        "propensity": 1.0 if fraud else 0.3,
        "terminal_id": f"x{number % 300}",
        "amount_minor": 2_000,
        "occurred_ms": occurred_ms,
        "known_ms": occurred_ms + rng.randrange(9 * DAY_MS),
        "corrects": None,
    }
    if what < 0.35:
        unlabelled = {"task": "anomaly", "label": None, "label_source": "sample"}
        return taught | unlabelled | {"propensity": 0.2, "known_ms": occurred_ms}
    if what < 0.6:
        return taught
    about_text = {
        "text": text,
        "features": {"text_chars": float(len(text)), "chinese": float(rng.random() < 0.2)},
        "label_source": "agent",
        "scores": {"lost": rng.random() / 2, "refund": rng.random() / 2},
        "terminal_id": None,
        "propensity": 1.0,
    }
    if what < 0.8:
        return taught | about_text | {"task": "category", "label": label}
    if what < 0.95:
        urgency = {"task": "urgency", "label": rng.choice(["low", "high"])}
        return taught | about_text | urgency | {"scores": {"low": rng.random()}}
    sample = {"task": "category", "label": None, "label_source": "sample", "propensity": 0.1}
    return taught | about_text | sample
