"""Lessons made by hand, as late labels give them to the quality board."""

from itertools import count
from typing import Any

from schemas.outputs import Lesson

DAY_MS = 86_400_000
_ids = count()


def lesson(task: str, label: Any, scores: dict[str, float], **more: Any) -> Lesson:
    made: Any = {
        "id": f"0/{next(_ids)}/0",
        "task": task,
        "tenant": "default",
        "customer_id": "c",
        "decision_id": "0/1",
        "subject_id": "s",
        "features": {},
        "text": "a text" if task in ("category", "urgency", "mood") else None,
        "label": label,
        "label_source": "agent",
        "scores": scores,
        "propensity": 1.0,
        "terminal_id": None,
        "amount_minor": None,
        "occurred_ms": 0,
        "known_ms": 0,
        "corrects": None,
        **more,
    }
    return made  # type: ignore[no-any-return]  # as a lesson, checked by the tests of teaching


def judged(is_fraud: bool, risk: float, scorecard: float = 0.01, **more: Any) -> Lesson:
    scores = {"risk": risk, "anomaly": 0.5, "scorecard": scorecard}
    return lesson("risk", is_fraud, more.pop("scores", scores), **more)


def sampled(propensity: float, **more: Any) -> Lesson:
    return lesson(
        "anomaly", None, more.pop("scores", {}), propensity=propensity, label_source="sample",
        **more,
    )  # fmt: skip
