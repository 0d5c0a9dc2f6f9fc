"""Which dead letters are meant."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.base import milliseconds
from schemas.errors import RejectedError
from streams.deadletters.letters import TOPICS, Letter, Place

_AGO = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions that all must hold.

    Args:
        topic: The input topic.
        stage: How far the record came.
        error: The error's class.
        since_ms: Refused then or later.
        until_ms: Refused before then.
        places: One of these positions.
        open_only: Not sent again yet.
    """

    topic: str | None = None
    stage: str | None = None
    error: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    places: Collection[Place] | None = None
    open_only: bool = False

    @property
    def topics(self) -> tuple[str, ...]:
        """The input topics whose letters may be meant."""
        named = {place.topic for place in self.places or ()}
        return tuple(
            topic
            for topic in TOPICS
            if self.topic in (None, topic) and (self.places is None or topic in named)
        )

    def may_be_in(self, topic: str, partition: int) -> bool:
        """Tell whether a partition of an input topic can have a letter that is meant."""
        return topic in self.topics and (
            self.places is None
            or any((place.topic, place.partition) == (topic, partition) for place in self.places)
        )

    def takes(self, letter: Letter) -> bool:
        """Tell whether a letter is meant, ``open_only`` aside."""
        return (
            self.topic in (None, letter.place.topic)
            and self.stage in (None, letter.stage)
            and self.error in (None, letter.error)
            and (self.since_ms is None or letter.failed_ms >= self.since_ms)
            and (self.until_ms is None or letter.failed_ms < self.until_ms)
            and (self.places is None or letter.place in self.places)
        )


def read_moment(text: str, now_ms: int) -> int:
    """Give the moment that a person wrote, in milliseconds since the epoch.

    Args:
        text: RFC 3339 or a date, UTC where no offset is given; or how long ago: 90s, 15m, 6h, 2d.
        now_ms: The time now.

    Raises:
        RejectedError: it is neither.
    """
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now_ms - int(ago[1]) * _UNIT_MS[ago[2]]
    try:
        moment = datetime.fromisoformat(text)
        return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise RejectedError(
            f"{text!r:.80} is no moment: give 2026-03-02T09:30:00Z, a date, or 90s, 15m, 6h, 2d ago"
        ) from None
