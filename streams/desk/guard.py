"""Which failure means what: the one place with a broad ``except``.

A fault of the input (or of the pure core on it) makes a dead letter; a fault of a neighbour or of
the state never does.
"""

from collections import deque
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

log = structlog.get_logger(__name__)

T = TypeVar("T")
MESSAGE_CHARS = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record is given up on."""

    stage: str
    error: str
    message: str


def attempt(stage: Callable[[], str], work: Callable[[], T]) -> T | Refusal:
    """Do ``work``; give its result, or why the record must become a dead letter.

    Args:
        stage: Names the stage that was reached, asked only after a failure.
        work: Decodes and decides one record.

    Raises:
        UnavailableError, IncompatibleError, MisconfiguredError: never the record's fault.
    """
    try:
        return work()
    except (UnavailableError, IncompatibleError, MisconfiguredError):
        raise
    except (MalformedError, RejectedError) as fault:
        return _refusal(stage(), fault)
    except Exception as fault:
        log.exception("decision_failed", stage=stage(), error=type(fault).__name__)
        return _refusal(stage(), fault)


def _refusal(stage: str, fault: Exception) -> Refusal:
    message = str(fault)[:MESSAGE_CHARS].encode(errors="replace").decode()  # lone surrogates
    return Refusal(stage, type(fault).__name__, message)


class DeadLetterLimit:
    """Stops a worker that would otherwise drain a topic into the dead letters.

    Args:
        run: So many refusals in a row stop the worker.
        window: Over so many latest records …
        share: … more than this share of refusals stops it.
    """

    def __init__(self, run: int, window: int, share: float) -> None:
        self._run_limit = run
        self._share = share
        self._window: deque[bool] = deque(maxlen=window)
        self._refused_count = 0
        self._run = 0

    def note(self, refused: bool) -> None:
        """Count one record.

        Raises:
            IncompatibleError: the limit is passed; a person must look.
        """
        if len(self._window) == self._window.maxlen:
            self._refused_count -= self._window[0]
        self._window.append(refused)
        self._refused_count += refused
        self._run = self._run + 1 if refused else 0
        full = len(self._window) == self._window.maxlen
        if self._run > self._run_limit or (
            full and self._refused_count > self._share * len(self._window)
        ):
            raise IncompatibleError(
                f"{self._run} records in a row and {self._refused_count} of the last "
                f"{len(self._window)} were refused: the desk stops before it drains the topic; "
                "look at the dead letters"
            )
