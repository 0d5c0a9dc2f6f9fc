"""How far a partition's journal has been folded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.desk.refusals import Refusals
from streams.journal.acceptance import Reading


@dataclass(frozen=True, slots=True)
class FoldPosition:
    """How far a partition's journal has been folded.

    Args:
        reading: What the reader's rule needs to go on.
        journal_next: Offset of the next journal record.
        last_digest: Digest of the record before it; "" at the beginning.
        sources: Next offset of each input topic.
        revision: The learners' revision at the last decision; it never goes back.
        tick_ms: Time of the last tick.
        refusals: Which of the newest records were refused.
    """

    reading: Reading = field(default_factory=Reading)
    journal_next: int = 0
    last_digest: str = ""
    sources: Mapping[str, int] = field(default_factory=dict)
    revision: int = 0
    tick_ms: int = 0
    refusals: Refusals = field(default_factory=Refusals)

    def content(self) -> dict[str, Any]:
        """Give the position in JSON types; written with every commit, so by hand."""
        reading = self.reading
        return {
            "reading": {
                "epoch": reading.epoch,
                "writer": reading.writer,
                "number": reading.number,
            },
            "journal_next": self.journal_next,
            "last_digest": self.last_digest,
            "sources": self.sources,
            "revision": self.revision,
            "tick_ms": self.tick_ms,
            "refusals": self.refusals.token(),
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "FoldPosition":
        """Read what :meth:`content` gave; an earlier one without refusals had none."""
        token = content.get("refusals")
        return cls(
            **dict(content)
            | {
                "reading": Reading(**content["reading"]),
                "refusals": Refusals() if token is None else Refusals.from_token(token),
            }
        )
