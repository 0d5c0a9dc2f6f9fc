"""What a replay found, and how quickly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.replay.again import Replayed

SHOWN_DIFFERENCES = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a replay.

    Args:
        checked: Decisions made again.
        equal: Those that are the same bytes.
        differing: Those that are not.
        differences: The first few of them.
        not_replayable: Records that hold no decision to make again, by kind.
        other_version: Decisions made by another core version; they are not checked.
        ignored_records: Records that the reader's rule does not accept.
        folded_records: Journal records folded to get there.
        folded_lessons: Lessons folded to get there.
        deciding_s: Spent on deciding again: the event validated, decided, encoded.
        took_s: Spent on everything: reading twice, folding records and lessons, deciding.
    """

    checked: int
    equal: int
    differing: int
    differences: tuple[Replayed, ...]
    not_replayable: Mapping[str, int]
    other_version: int
    ignored_records: int
    folded_records: int
    folded_lessons: int
    deciding_s: float
    took_s: float

    @property
    def decisions_per_s(self) -> float | None:
        """Checked decisions over ``deciding_s``: how fast decisions are made again.

        It does not depend on how many records had to be folded for each; ``None`` if none was.
        """
        return round(self.checked / self.deciding_s, 1) if self.checked else None

    @property
    def checked_per_s(self) -> float | None:
        """Checked decisions over ``took_s``: how fast the whole command gets on."""
        return round(self.checked / self.took_s, 1) if self.checked else None

    def report(self) -> dict[str, Any]:
        """Give the result as JSON types; the first four names are fixed for callers."""
        return {
            "checked": self.checked,
            "equal": self.equal,
            "differing": self.differing,
            "decisions_per_s": self.decisions_per_s,
            "checked_per_s": self.checked_per_s,
            "not_replayable": dict(self.not_replayable),
            "other_version": self.other_version,
            "ignored_records": self.ignored_records,
            "folded_records": self.folded_records,
            "folded_lessons": self.folded_lessons,
            "deciding_s": round(self.deciding_s, 3),
            "took_s": round(self.took_s, 3),
            "differences": [describe(each) for each in self.differences],
        }


def describe(again: Replayed) -> dict[str, Any]:
    """Give a decision and the fields in which it differs, as JSON types."""
    return {
        "decision": again.decision,
        "kind": again.kind,
        "fields": {
            path: {"recorded": recorded, "again": now}
            for path, (recorded, now) in again.differing().items()
        },
    }
