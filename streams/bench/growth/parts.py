"""The measures of growth as parts of a bench: each takes a ground and gives its own key.

`soak` is not among them: it takes as long as it is asked to.
"""

from collections.abc import Callable
from typing import Any

from streams.bench.ground import Ground
from streams.bench.growth.classes import measure_classes
from streams.bench.growth.lessons import measure_lessons
from streams.bench.growth.rules import measure_rules
from streams.bench.growth.soak import measure_soak
from streams.bench.growth.starting import measure_starting
from streams.bench.growth.state import measure_state

FEWEST = 3


def state(ground: Ground) -> dict[str, Any]:
    """Give ``state``: CPU an event against the number of customers."""
    return {"state": measure_state(ground.directory / ground.name("state"), tell=ground.tell)}


def classes(ground: Ground) -> dict[str, Any]:
    """Give ``classes``: the learner of categories against the number of classes."""
    return {"classes": measure_classes(rounds=max(FEWEST, ground.asked.repeats))}


def rules(ground: Ground) -> dict[str, Any]:
    """Give ``rules``: CPU a transaction against the size of the policy."""
    return {"rules": measure_rules(ground.directory / ground.name("rules"))}


def lessons(ground: Ground) -> dict[str, Any]:
    """Give ``lessons``: CPU a lesson by kind."""
    return {"lessons": measure_lessons(ground.directory / ground.name("lessons"))}


def starting(ground: Ground) -> dict[str, Any]:
    """Give ``starting``: from start, and from another worker's end, to the first decision."""
    return {"starting": measure_starting(ground, rounds=max(FEWEST, ground.asked.repeats))}


def soak(ground: Ground, minutes: float) -> dict[str, Any]:
    """Give ``soak``: CPU an event and memory over so many minutes."""
    return {"soak": measure_soak(ground, minutes)}


GROWTH: dict[str, Callable[[Ground], dict[str, Any]]] = {
    "state": state,
    "classes": classes,
    "rules": rules,
    "lessons": lessons,
    "starting": starting,
}
