"""Canonical content digests: equal content gives equal digests in every process.

Pickle bytes will not do: they depend on which objects happen to be shared.
"""

import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Protocol

import numpy as np

DIGEST_BYTES = 16


class _Sink(Protocol):
    def update(self, data: bytes, /) -> None: ...


def digest_content(*parts: object) -> str:
    """Return the hex digest (32 characters) of nested plain content.

    Mappings are read in the order of their keys' encodings, sequences as they are; arrays
    count with type, shape and bytes.

    Raises:
        TypeError: for a type without a canonical order or form, such as a set.

    >>> digest_content({"a": 1, "b": 2.5}) == digest_content({"b": 2.5, "a": 1})
    True
    """
    sink = blake2b(digest_size=DIGEST_BYTES)
    _feed(sink, parts)
    return sink.hexdigest()


def _feed(sink: _Sink, part: Any) -> None:
    match part:
        case None:
            sink.update(b"n")
        case bool() | np.bool_():
            sink.update(b"t" if part else b"f")
        case int() | np.integer():
            text = b"%d" % int(part)
            sink.update(b"i%d:%b" % (len(text), text))
        case float() | np.floating():
            sink.update(b"d" + struct.pack("<d", float(part)))
        case str():
            data = part.encode("utf-8", "surrogatepass")
            sink.update(b"s%d:%b" % (len(data), data))
        case bytes():
            sink.update(b"b%d:%b" % (len(part), part))
        case np.ndarray():
            _feed(sink, [part.dtype.newbyteorder("<").str, *part.shape])
            little = part.astype(part.dtype.newbyteorder("<"), copy=False)
            sink.update(np.ascontiguousarray(little).tobytes())
        case Mapping():
            sink.update(b"m%d:" % len(part))
            for key in sorted(part, key=lambda key: (type(key).__name__, key)):
                _feed(sink, key)
                _feed(sink, part[key])
        case Sequence():
            sink.update(b"l%d:" % len(part))
            for item in part:
                _feed(sink, item)
        case _:
            raise TypeError(f"no canonical form for {type(part).__name__}: {part!r}")
