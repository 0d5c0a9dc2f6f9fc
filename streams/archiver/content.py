"""Names the content of a range: equal records in equal order, equal digest."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import chain as chained

from schemas.codec import DIGEST_BYTES, chain

_PREFIX = "2:"
"""Tells a digest over a whole range from the chain of digests that an earlier version noted."""


class Content:
    """A digest that grows with a range, however the range is cut into parts.

    Args:
        noted: A digest of the same range, made before a restart; it says how it is made.
    """

    def __init__(self, noted: str = "") -> None:
        self._links: str | None = "" if noted and not noted.startswith(_PREFIX) else None
        self._whole = (
            sha256()
        )  # processors have instructions for it; its first half names well enough
        self._is_empty = True

    def add(self, values: Sequence[bytes]) -> None:
        """Take in the next records."""
        if not values:
            return
        self._is_empty = False
        if self._links is not None:
            for value in values:
                self._links = chain(self._links, value)
            return
        parts = ((len(value).to_bytes(8, "little"), value) for value in values)
        self._whole.update(b"".join(chained.from_iterable(parts)))

    def digest(self) -> str:
        """Name the records so far; "" without one."""
        if self._is_empty:
            return ""
        return self._links or f"{_PREFIX}{self._whole.digest()[:DIGEST_BYTES].hex()}"
