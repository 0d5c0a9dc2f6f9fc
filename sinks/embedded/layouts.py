"""How the values of each ClickHouse type lie in a column of the Native format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

from sinks.embedded.wire import ProtocolError, WireReader

MAX_TYPE_DEPTH: Final = 32

_WIDTHS: Final = {
    "Bool": 1, "Int8": 1, "UInt8": 1, "Enum8": 1, "Nothing": 1,
    "Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2,
    "Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "IPv4": 4, "Decimal32": 4,
    "Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Decimal64": 8,
    "Int128": 16, "UInt128": 16, "UUID": 16, "IPv6": 16, "Decimal128": 16,
    "Int256": 32, "UInt256": 32, "Decimal256": 32,
}  # fmt: skip
_NAMED_ELEMENT: Final = re.compile(r"(?:\w+|`(?:[^`\\]|\\.)*`)\s+(?=[A-Za-z])")


class UnknownLayoutError(ProtocolError):
    """A column's type does not tell how long its values are."""


class Layout(Protocol):
    """How the values of one type lie in a column."""

    def skip_prefix(self, reader: WireReader) -> None:
        """Pass over what stands before the column's values."""

    def skip_values(self, reader: WireReader, row_count: int) -> None:
        """Pass over `row_count` values."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Values of one width in bytes."""

    width_bytes: int

    def skip_prefix(self, reader: WireReader) -> None:
        """Nothing stands before them."""

    def skip_values(self, reader: WireReader, row_count: int) -> None:
        """Pass over `row_count` values."""
        reader.skip(self.width_bytes * row_count)


@dataclass(frozen=True, slots=True)
class Text:
    """Strings, each with its length before it."""

    def skip_prefix(self, reader: WireReader) -> None:
        """Nothing stands before them."""

    def skip_values(self, reader: WireReader, row_count: int) -> None:
        """Pass over `row_count` strings (the loop that costs an insert most)."""
        buffer = reader.buffer  # grows in place
        position = reader.position
        for _ in range(row_count):
            if position >= len(buffer):
                reader.position = position
                reader.fill(1)
            size_bytes = buffer[position]
            if size_bytes < 0x80:
                position += 1 + size_bytes
            else:
                reader.position = position
                size_bytes = reader.varint()
                position = reader.position + size_bytes
        reader.position = position
        reader.fill(0)


@dataclass(frozen=True, slots=True)
class Nullable:
    """A byte a row that says which values are null, then all values."""

    inner: Layout

    def skip_prefix(self, reader: WireReader) -> None:
        """Pass over the inner type's prefix."""
        self.inner.skip_prefix(reader)

    def skip_values(self, reader: WireReader, row_count: int) -> None:
        """Pass over `row_count` values."""
        reader.skip(row_count)
        self.inner.skip_values(reader, row_count)


@dataclass(frozen=True, slots=True)
class Array:
    """The end of each row among the elements, then all elements."""

    inner: Layout

    def skip_prefix(self, reader: WireReader) -> None:
        """Pass over the inner type's prefix."""
        self.inner.skip_prefix(reader)

    def skip_values(self, reader: WireReader, row_count: int) -> None:
        """Pass over `row_count` arrays."""
        if row_count:
            reader.skip(8 * (row_count - 1))
            self.inner.skip_values(reader, reader.u64())


@dataclass(frozen=True, slots=True)
class Tuple:
    """One column an element."""

    elements: tuple[Layout, ...]

    def skip_prefix(self, reader: WireReader) -> None:
        """Pass over the elements' prefixes."""
        for element in self.elements:
            element.skip_prefix(reader)

    def skip_values(self, reader: WireReader, row_count: int) -> None:
        """Pass over `row_count` values of each element."""
        for element in self.elements:
            element.skip_values(reader, row_count)


@dataclass(frozen=True, slots=True)
class LowCardinality:
    """A dictionary of distinct values, then a key into it a row."""

    values: Layout

    def skip_prefix(self, reader: WireReader) -> None:
        """Pass over the version of the keys."""
        reader.skip(8)

    def skip_values(self, reader: WireReader, row_count: int) -> None:
        """Pass over a dictionary and `row_count` keys.

        Raises:
            ProtocolError: The keys have an unknown width or a shared dictionary.
        """
        if not row_count:
            return
        flags = reader.u64()
        key_width_power, shared_dictionary = flags & 0xFF, flags & 0x100
        if key_width_power > 3 or shared_dictionary:
            raise ProtocolError(f"unknown LowCardinality layout {flags:#x}")
        if flags & 0x200:
            self.values.skip_values(reader, reader.u64())
        reader.skip(reader.u64() << key_width_power)


def split_arguments(text: str) -> list[str]:
    """Split a type's arguments at the commas that are in no bracket and no quotes.

    Raises:
        ProtocolError: Brackets or quotes do not match.
    """
    parts: list[str] = []
    depth, start, quote, position = 0, 0, "", 0
    while position < len(text):
        char = text[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char in "'`":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
        position += 1
    if depth or quote:
        raise ProtocolError(f"brackets or quotes do not match in {text[:200]!r}")
    parts.append(text[start:].strip())
    return parts


def layout_of(type_name: str, depth: int = 0) -> Layout:
    """Return how values of a ClickHouse type lie in a column.

    Raises:
        UnknownLayoutError: The type is unknown here (aggregate states, Variant, Dynamic, JSON).
        ProtocolError: It is no type.
    """
    name, bracket, rest = type_name.strip().partition("(")
    arguments = rest[:-1] if bracket and rest.endswith(")") else ""
    if depth > MAX_TYPE_DEPTH:
        raise ProtocolError("a type is nested too deeply")
    if name == "String":
        return Text()
    if name in _WIDTHS:
        return Fixed(_WIDTHS[name])
    if name.startswith("Interval"):
        return Fixed(8)
    if arguments:
        return _composed(name, split_arguments(arguments), depth + 1)
    raise UnknownLayoutError(f"columns of type {type_name[:200]!r} are not served here")


def _composed(name: str, arguments: list[str], depth: int) -> Layout:
    """Return the layout of a type that has arguments which matter."""
    match name:
        case "FixedString":
            return Fixed(_number(arguments[0]))
        case "Decimal":
            precision = _number(arguments[0])
            return Fixed(next((w for p, w in ((9, 4), (18, 8), (38, 16)) if precision <= p), 32))
        case "Nullable":
            return Nullable(layout_of(arguments[0], depth))
        case "LowCardinality":
            inner = arguments[0].removeprefix("Nullable(")
            return LowCardinality(
                layout_of(inner.removesuffix(")") if inner != arguments[0] else inner, depth)
            )
        case "Array":
            return Array(layout_of(arguments[0], depth))
        case "Map":
            return Array(Tuple(tuple(layout_of(each, depth) for each in arguments)))
        case "SimpleAggregateFunction":
            return layout_of(arguments[-1], depth)
        case "Tuple" | "Nested":
            elements = tuple(
                layout_of(
                    _NAMED_ELEMENT.sub("", each, count=1) if _NAMED_ELEMENT.match(each) else each,
                    depth,
                )
                for each in arguments
            )
            return Tuple(elements) if name == "Tuple" else Array(Tuple(elements))
    raise UnknownLayoutError(f"columns of type {name[:200]!r} are not served here")


def _number(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 9):
        raise ProtocolError(f"{text[:50]!r} is not a width")
    return int(text)
