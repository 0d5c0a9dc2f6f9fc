"""The models, and the sizes at which they are searched."""

from typing import Any

from tests.protocol.archiver import ArchiverModel
from tests.protocol.journal import Input
from tests.protocol.model import DeskModel
from tests.protocol.publisher import PublisherModel

INPUTS = (
    Input("a", 0, 1, "p", poison=True),
    Input("b", 0, 2, "x"),
    Input("a", 1, 4, "x"),
)
TICK_MS = 3


def desk(
    faults: int, *without: str, present: int = 1, records: int = 2, under_way: int = 2
) -> DeskModel:
    """Two topics, three inputs (a poison and a pair with one event id), one tick."""
    return DeskModel(
        INPUTS,
        TICK_MS,
        faults,
        present=present,
        records=records,
        under_way=under_way,
        without=frozenset(without),
    )


def publisher(faults: int, *without: str) -> PublisherModel:
    return PublisherModel(faults, frozenset(without))


def archiver(faults: int, *without: str) -> ArchiverModel:
    return ArchiverModel(faults, frozenset(without))


SIZES: dict[str, dict[str, Any]] = {
    "small": {
        "desk, inputs arrive meanwhile": desk(1),
        "desk, inputs wait": desk(2, present=3, records=1),
        "publisher": publisher(3),
        "archiver": archiver(2),
    },
    "large": {
        "desk, inputs arrive meanwhile": desk(2),
        "desk, inputs wait": desk(3, present=3),
        "publisher": publisher(4),
        "archiver": archiver(3),
    },
}
