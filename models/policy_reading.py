"""Reads a policy's content and collects every fault instead of stopping at the first."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

Name = TypeVar("Name", bound=str)


class Reader:
    """Reads values by their dotted path; a faulty one is noted and replaced by a harmless one.

    Args:
        content: The policy's content, of any shape.
        added: By path: what holds where the content says nothing.
    """

    def __init__(
        self, content: Mapping[str, Any], added: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self._content = content
        self._added = added
        self.faults: list[str] = []

    def fault(self, path: str, message: str) -> None:
        """Note a fault."""
        self.faults.append(f"{path} {message}")

    def number(self, path: str, low: float, high: float = math.inf) -> float:
        """Read a number in [low, high]."""
        return self._number(path, self._get(path), low, high)

    def whole(self, path: str, low: int, high: int = 10**9) -> int:
        """Read a whole number in [low, high]."""
        value = self._get(path)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fault(path, f"must be a whole number from {low} to {high}, is {value!r}")
            return low
        return value

    def numbers(self, path: str, names: Sequence[str], low: float, high: float) -> dict[str, float]:
        """Read one number for each name."""
        return {name: self.number(f"{path}.{name}", low, high) for name in names}

    def one_of(self, path: str, names: Sequence[Name]) -> Name:
        """Read one of the names."""
        value = self._get(path)
        for name in names:
            if value == name:
                return name
        self.fault(path, f"must be one of {', '.join(names)}, is {value!r}")
        return names[0]

    def names(self, path: str) -> list[str]:
        """Read the names under a path, in order."""
        value = self._get(path)
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            self.fault(path, "must be an object")
            return []
        return sorted(value)

    def rising(
        self, path: str, low: float, high: float, count: int | None = None
    ) -> tuple[float, ...]:
        """Read a list of rising numbers, of any length or of exactly ``count``."""
        found = self._list(path, low, high, count)
        if list(found) != sorted(found):
            self.fault(path, "must rise")
        return found

    def falling(self, path: str, count: int) -> tuple[float, ...]:
        """Read a list of exactly ``count`` falling numbers."""
        found = self._list(path, 0, math.inf, count)
        if list(found) != sorted(found, reverse=True):
            self.fault(path, "must fall")
        return found

    def bands(self, path: str) -> tuple[tuple[float, float], ...]:
        """Read a list of [from, points] with rising ``from``."""
        value = self._get(path)
        if not isinstance(value, list) or not all(
            isinstance(band, list) and len(band) == 2 for band in value
        ):
            self.fault(path, "must be a list of [from, points]")
            return ()
        found = tuple(
            (
                self._number(f"{path}[{i}][0]", band[0], 0, math.inf),
                self._number(f"{path}[{i}][1]", band[1], 0, 100),
            )
            for i, band in enumerate(value)
        )
        if list(found) != sorted(found):
            self.fault(path, "must rise")
        return found

    def matrix(
        self, path: str, rows: int, columns: int, names: Sequence[Name]
    ) -> tuple[tuple[Name, ...], ...]:
        """Read a table of names."""
        value = self._get(path)
        by_name: dict[object, Name] = {name: name for name in names}
        if (
            not isinstance(value, list)
            or len(value) != rows
            or not all(isinstance(row, list) and len(row) == columns for row in value)
            or not all(isinstance(cell, str) and cell in by_name for row in value for cell in row)
        ):
            self.fault(path, f"must be {rows} rows of {columns} out of {', '.join(names)}")
            return ()
        return tuple(tuple(by_name[cell] for cell in row) for row in value)

    def _list(self, path: str, low: float, high: float, count: int | None) -> tuple[float, ...]:
        value = self._get(path)
        if not isinstance(value, list) or (count is not None and len(value) != count):
            length = "" if count is None else f" of {count}"
            self.fault(path, f"must be a list{length} of numbers, is {value!r}")
            return ()
        return tuple(self._number(f"{path}[{i}]", v, low, high) for i, v in enumerate(value))

    def _number(self, path: str, value: object, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(path, f"must be a number, is {value!r}")
            return low
        if not (math.isfinite(value) and low <= value <= high):
            self.fault(path, f"must be from {low:g} to {high:g}, is {value!r}")
            return low
        return float(value)

    def _get(self, path: str) -> object:
        value: object = self._content
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return self._added.get(path) if value is None else value
