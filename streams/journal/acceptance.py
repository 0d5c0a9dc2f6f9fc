"""The reader's rule: which records of the journal count.

Every reader (the desk's fold, publisher, archiver, replay) follows this one rule, so all agree on
what was decided, whatever a replaced owner writes late.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.errors import MalformedError


class Reading(NamedTuple):
    """What a reader knows after a prefix of one journal partition.

    Args:
        epoch: Of the last accepted claim; 0 before the first.
        writer: Who made it; "" before the first.
        number: Of the last accepted record; 0 before the first.
    """

    epoch: int = 0
    writer: str = ""
    number: int = 0

    def accept(self, record: Mapping[str, Any]) -> "Reading | None":
        """Give the reading after ``record``, or ``None`` where the record does not count.

        A claim counts only with a greater epoch; any other record only with the current epoch
        and writer and the next number. A claim has no number.
        """
        epoch, writer = record["epoch"], record["writer"]
        if record["kind"] == "claim":
            return Reading(epoch, writer, self.number) if epoch > self.epoch else None
        if epoch == self.epoch and writer == self.writer and record["number"] == self.number + 1:
            return Reading(epoch, writer, self.number + 1)
        return None

    def token(self) -> str:
        """Give the reading as text, small enough for the metadata of a committed offset."""
        return f"{self.epoch}:{self.number}:{self.writer}"

    @classmethod
    def from_token(cls, token: str) -> "Reading":
        """Read what :meth:`token` wrote.

        Raises:
            MalformedError: not such a token.
        """
        parts = token.split(":", 2)
        try:
            return cls(int(parts[0]), parts[2], int(parts[1]))
        except (IndexError, ValueError):
            raise MalformedError(f"not a reading of the journal: {token!r}") from None
