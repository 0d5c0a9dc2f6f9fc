"""A compact table: ascending numbers, each with fields of fixed width and a count of takers."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from struct import Struct
from typing import Any

MAX_TAKERS = 255


class Shelf:
    """What is expected, by position; a few dozen bytes an entry.

    Args:
        layout: Of the fields, as :mod:`struct` writes it.
    """

    def __init__(self, layout: str) -> None:
        self._struct = Struct(layout)
        self._numbers = array("Q")
        self._fields = bytearray()
        self._takers = bytearray()

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, *fields: Any) -> None:
        """Put an entry behind the last one.

        Raises:
            ValueError: the number is not greater than the last one.
        """
        if self._numbers and number <= self._numbers[-1]:
            raise ValueError(f"{number} does not come after {self._numbers[-1]}")
        self._numbers.append(number)
        self._fields += self._struct.pack(*fields)
        self._takers.append(0)

    def find(self, number: int) -> int | None:
        """Give the place of a number, ``None`` if it is not there."""
        index = bisect_left(self._numbers, number)
        return index if index < len(self._numbers) and self._numbers[index] == number else None

    def fields(self, index: int) -> tuple[Any, ...]:
        """Give the fields of an entry."""
        return self._struct.unpack_from(self._fields, index * self._struct.size)

    def take(self, index: int) -> int:
        """Count one more taker of an entry; give how many it has now (255 means many)."""
        count = min(self._takers[index] + 1, MAX_TAKERS)
        self._takers[index] = count
        return count

    def untaken(self) -> Iterator[int]:
        """Give the numbers that nobody took."""
        return (
            number for number, count in zip(self._numbers, self._takers, strict=True) if not count
        )
