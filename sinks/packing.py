"""Whole columns as ClickHouse's native protocol carries them, packed without a step per value.

The driver's own columns look at every value in Python, which costs more than all else of an
insert. Types and values that are not known here are left to the driver; the bytes are the same.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain
from typing import Any, Final, Protocol


class Buffer(Protocol):
    """Where packed columns go; the driver's writer."""

    def write(self, data: bytes, /) -> None:
        """Take bytes."""
        ...

    def write_strings(self, items: list[str], encoding: str) -> None:
        """Take texts, each behind its length."""
        ...


Packer = Callable[[Sequence[Any], Buffer], None]
"""Writes the values of a column, prefix included; whatever it raises, it has written nothing."""

_CODES: Final = {
    "UInt8": "B", "UInt16": "H", "UInt32": "I", "UInt64": "Q",
    "Int8": "b", "Int16": "h", "Int32": "i", "Int64": "q", "Float64": "d", "Float32": "f",
    "DateTime64(3, 'UTC')": "q",
}  # fmt: skip
_DICTIONARY_VERSION: Final = (1).to_bytes(8, "little")
_OWN_DICTIONARY: Final = 0x600
"""Additional keys, and a dictionary that is not shared with another block."""


def packer_of(type_name: str) -> Packer | None:
    """Give what packs a column of a type, ``None`` where that is left to the driver."""
    inner = _argument(type_name, "Nullable")
    numbers = _numbers_of(inner or type_name)
    if numbers is not None:
        pack = numbers if inner is None else _nullable(numbers)
        return lambda values, buffer: buffer.write(pack(values))
    match type_name:
        case "String":
            return _write_texts
        case "LowCardinality(String)":
            return _write_dictionary_column
        case "Array(String)":
            return _write_text_arrays
        case "Array(Float64)":
            return _write_number_arrays
        case "Array(LowCardinality(String))":
            return _write_dictionary_arrays
        case "Map(LowCardinality(String), Float64)":
            return _write_maps
    return None


def _argument(type_name: str, outer: str) -> str | None:
    return type_name[len(outer) + 1 : -1] if type_name.startswith(f"{outer}(") else None


def _numbers_of(type_name: str) -> Callable[[Sequence[Any]], bytes] | None:
    if type_name == "Bool":
        return lambda values: bytes(map(bool, values))
    code = _CODES.get(type_name)
    return None if code is None else lambda values: _packed(code, values)


def _nullable(pack: Callable[[Sequence[Any]], bytes]) -> Callable[[Sequence[Any]], bytes]:
    def packed(values: Sequence[Any]) -> bytes:
        nulls = bytes([value is None for value in values])
        if 1 in nulls:
            values = [0 if value is None else value for value in values]
        return nulls + pack(values)

    return packed


def _packed(code: str, values: Iterable[Any]) -> bytes:
    numbers = array(code, values)
    if sys.byteorder != "little":
        numbers.byteswap()
    return numbers.tobytes()


def _ends(values: Iterable[Sequence[Any]]) -> bytes:
    """Give where each array ends among the elements of all."""
    return _packed("Q", list(accumulate(map(len, values))))


def _texts(values: Sequence[Any]) -> list[str]:
    if not set(map(type, values)) <= {str}:
        raise TypeError("a text column holds something else")
    return values if isinstance(values, list) else list(values)


def _write_texts(values: Sequence[Any], buffer: Buffer) -> None:
    buffer.write_strings(_texts(values), "utf-8")


def _write_dictionary_column(values: Sequence[Any], buffer: Buffer) -> None:
    index = dict.fromkeys(values)
    names, positions = _texts(list(index)), dict(zip(index, range(len(index)), strict=True))
    code = _key_code(len(names))
    keys = _packed(code, [0]) * len(values) if len(names) == 1 else _keys(code, positions, values)
    buffer.write(_DICTIONARY_VERSION)
    _write_dictionary(names, len(values), keys, buffer)


def _write_dictionary(names: list[str], count: int, keys: bytes, buffer: Buffer) -> None:
    if not names:
        return
    width_power = "BHI".index(_key_code(len(names)))
    buffer.write(_packed("Q", [_OWN_DICTIONARY | width_power, len(names)]))
    buffer.write_strings(names, "utf-8")
    buffer.write(_packed("Q", [count]) + keys)


def _key_code(name_count: int) -> str:
    return "B" if name_count < 1 << 8 else "H" if name_count < 1 << 16 else "I"


def _keys(code: str, positions: dict[str, int], names: Iterable[str]) -> bytes:
    keys = map(positions.__getitem__, names)
    return bytes(keys) if code == "B" else _packed(code, list(keys))


def _write_text_arrays(values: Sequence[Any], buffer: Buffer) -> None:
    ends, texts = _ends(values), _texts(list(chain.from_iterable(values)))
    buffer.write(ends)
    buffer.write_strings(texts, "utf-8")


def _write_number_arrays(values: Sequence[Any], buffer: Buffer) -> None:
    buffer.write(_ends(values) + _packed("d", list(chain.from_iterable(values))))


def _write_dictionary_arrays(values: Sequence[Any], buffer: Buffer) -> None:
    ends, flat = _ends(values), list(chain.from_iterable(values))
    index = dict.fromkeys(flat)
    names, positions = _texts(list(index)), dict(zip(index, range(len(index)), strict=True))
    keys = _keys(_key_code(len(names)), positions, flat)
    buffer.write(_DICTIONARY_VERSION + ends)
    _write_dictionary(names, len(flat), keys, buffer)


def _write_maps(values: Sequence[Any], buffer: Buffer) -> None:
    ends = _ends(values)
    shapes = list(map(tuple, values))  # most maps of a column have the same names in one order
    distinct = dict.fromkeys(shapes)
    index = dict.fromkeys(chain.from_iterable(distinct))
    names, positions = _texts(list(index)), dict(zip(index, range(len(index)), strict=True))
    code = _key_code(len(names))
    keys_of = {shape: _keys(code, positions, shape) for shape in distinct}
    keys = b"".join(map(keys_of.__getitem__, shapes))
    numbers = _packed("d", list(chain.from_iterable(map(dict.values, values))))
    buffer.write(_DICTIONARY_VERSION + ends)
    _write_dictionary(names, sum(map(len, shapes)), keys, buffer)
    buffer.write(numbers)
