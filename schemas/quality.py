"""Scorecards of the learners, drift signals and verdicts (topic ``desk.quality.v1``)."""

from typing import Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

QualityKind = Literal["figure", "drift", "verdict"]
"""figure: of a scorecard; drift: something has changed; verdict: whether decisions may rest on
the learner."""


class Quality(TypedDict):
    """One thing that is known about a learner by now (key is the learner)."""

    id: str
    """Effect id: partition/number/index in the journal."""
    kind: QualityKind
    learner: str
    metric: str
    """Of a figure ``accuracy``, ``average_precision``, …; of a drift signal the value that
    changed and who noticed; of a verdict ``trusted``."""
    segment: str
    """``all``, or a part of the decisions as ``name=value``."""
    maturity: str
    """``all``, or how long after the event the label became known: ``0-1d``, ``1-7d``, ``7d+``."""
    value: float
    """In the unit of the metric; after a drift the mean since; of a verdict 1 or 0."""
    baseline: float | None
    """What the learner has to beat on the same decisions, if there is such a thing; of a drift
    signal the mean before; of a verdict the learner's lead over its baseline of late."""
    window_count: int
    """How many labelled decisions the figure rests on; what is 7 days older counts half."""
    missing_count: int
    """How many decisions of the window have no such label, as estimated."""
    revision: int
    """Offset reached in the lessons."""
    known_ms: int
    """``known_at`` of the newest lesson covered; of a drift signal, of the one that showed it."""
    core: str
    """Version of the core that computed it."""


QUALITY: TypeAdapter[Quality] = TypeAdapter(Quality)
