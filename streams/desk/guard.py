"""Which failure means what.

A fault of the input (or of the pure core on it) makes a dead letter; a fault of a neighbour or of
the state never does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from schemas.errors import (
    IncompatibleError,
    MalformedError,
    MisconfiguredError,
    RejectedError,
    UnavailableError,
)
from streams.desk.refusals import Refusals

log = structlog.get_logger(__name__)

T = TypeVar("T")
MESSAGE_CHARS = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record is given up on."""

    stage: str
    error: str
    message: str


def refusal(stage: str, fault: Exception) -> Refusal:
    """Give why a record must become a dead letter.

    Args:
        stage: Of the work on the record that raised.
        fault: What it raised.

    Raises:
        UnavailableError, IncompatibleError, MisconfiguredError: the fault itself; such a one is
            never the record's.
    """
    if isinstance(fault, UnavailableError | IncompatibleError | MisconfiguredError):
        raise fault
    if not isinstance(fault, MalformedError | RejectedError):
        log.error("decision_failed", stage=stage, error=type(fault).__name__, exc_info=fault)
    message = str(fault)[:MESSAGE_CHARS].encode(errors="replace").decode()  # lone surrogates
    return Refusal(stage, type(fault).__name__, message)


def attempt(stage: Callable[[], str], work: Callable[[], T]) -> T | Refusal:
    """Do ``work``; give its result, or why the record must become a dead letter.

    Args:
        stage: Names the stage that was reached, asked only after a failure.
        work: Decodes, decides or folds one record.

    Raises:
        UnavailableError, IncompatibleError, MisconfiguredError: as :func:`refusal`.
    """
    try:
        return work()
    except Exception as fault:
        return refusal(stage(), fault)


class DeadLetterLimit:
    """Stops a worker that would otherwise drain a topic into the dead letters.

    What it counts is part of each partition's fold, so a restarted worker, or another one that
    takes the partitions over, goes on counting where the journal stands.

    Args:
        run: More refusals in a row than this, over all owned partitions together, stop the worker.
        window: Over so many latest records of one partition, or of all together …
        share: … more than this share of refusals stops it.
    """

    def __init__(self, run: int, window: int, share: float) -> None:
        self._run_limit = run
        self._window = window
        self._share = share
        self._owned: dict[int, Refusals] = {}

    def know(self, partition: int, refusals: Refusals) -> None:
        """Take over what the fold of a partition says."""
        self._owned[partition] = refusals

    def forget(self, partition: int) -> None:
        """Leave a partition to its next owner."""
        self._owned.pop(partition, None)

    def note(self, partition: int, refusals: Refusals) -> None:
        """Count one record of a partition.

        Raises:
            IncompatibleError: it was refused and the limit is passed; a person must look.
        """
        self._owned[partition] = refusals
        if not refusals.run:
            return
        run = sum(each.run for each in self._owned.values())
        part = max(1, self._window // len(self._owned))
        together = part * len(self._owned)
        for refused_count, window in (
            (refusals.count(self._window), self._window),
            (sum(each.count(part) for each in self._owned.values()), together),
        ):
            if run > self._run_limit or refused_count > self._share * window:
                raise IncompatibleError(
                    f"{run} records in a row and {refused_count} of the last {window} were "
                    "refused: the desk stops before it drains the topic, and will stop again "
                    "after a restart; look with `riverdesk deadletters list`"
                )
