"""How many of a partition's latest records were refused: a fold of the journal, so it survives."""

from dataclasses import dataclass

from schemas.errors import MalformedError

REMEMBERED = 10_000
"""So many of the newest records are remembered, one bit each."""

_MASK = (1 << REMEMBERED) - 1


@dataclass(frozen=True, slots=True)
class Refusals:
    """Which of the newest records of one partition were refused.

    Args:
        run: How many were refused in a row, up to the newest.
        bits: The newest ``REMEMBERED``, the newest lowest, 1 for a refused one.
    """

    run: int = 0
    bits: int = 0

    def after(self, refused: bool) -> "Refusals":
        """Give the refusals after one more record."""
        if not refused:
            return Refusals(0, (self.bits << 1) & _MASK) if self.bits else NONE
        return Refusals(self.run + 1, (self.bits << 1) & _MASK | 1)

    def count(self, newest: int) -> int:
        """Tell how many of the ``newest`` records (at most ``REMEMBERED``) were refused."""
        return (self.bits & ((1 << newest) - 1)).bit_count()

    def token(self) -> str:
        """Give the refusals as text."""
        return f"{self.run}:{self.bits:x}"

    @classmethod
    def from_token(cls, token: str) -> "Refusals":
        """Read what :meth:`token` wrote.

        Raises:
            MalformedError: not such a token.
        """
        run, _, bits = token.partition(":")
        try:
            return cls(int(run), int(bits, 16))
        except ValueError:
            raise MalformedError(f"not a count of refusals: {token!r:.80}") from None


NONE = Refusals()
