"""Scorecards of the learners (topic ``desk.quality.v1``, key is the learner)."""

from pydantic import TypeAdapter
from typing_extensions import TypedDict


class Quality(TypedDict):
    """One figure about one learner over one window of lessons."""

    id: str
    learner: str
    metric: str
    """``accuracy``, ``log_loss``, ``average_precision``, …"""
    value: float
    window_count: int
    """How many labelled lessons the figure covers."""
    missing_count: int
    """How many decisions of the window have no label yet."""
    revision: int
    """Offset reached in the lessons."""
    known_ms: int
    """``known_at`` of the newest lesson covered."""


QUALITY: TypeAdapter[Quality] = TypeAdapter(Quality)
