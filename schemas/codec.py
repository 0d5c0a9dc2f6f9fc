"""Bytes to values and back: the one place that knows JSON.

Incoming events are parsed and validated in one step by pydantic; everything the desk writes is
encoded by orjson. Digests cover canonical content (sorted keys), never pickle bytes.
"""

from hashlib import blake2b
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.errors import MalformedError, RejectedError

T = TypeVar("T")

DIGEST_BYTES = 16


def decode(adapter: TypeAdapter[T], raw: bytes) -> T:
    """Parse and validate an event.

    Raises:
        MalformedError: not UTF-8 JSON (NaN and Infinity are not JSON).
        RejectedError: JSON, but not as the schema says; names the first fault.
    """
    try:
        if b"NaN" in raw or b"Infinity" in raw:  # pydantic's parser lets them through as numbers
            orjson.loads(raw)
        return adapter.validate_json(raw)
    except orjson.JSONDecodeError as fault:
        raise MalformedError(f"not JSON: {fault}") from None
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise MalformedError(f"not JSON: {first['msg']}") from None
        where = ".".join(str(part) for part in first["loc"]) or "event"
        raise RejectedError(f"{where}: {first['msg']}") from None


def decode_json(raw: bytes) -> Any:
    """Parse JSON that Riverdesk wrote itself.

    Raises:
        MalformedError: not JSON.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        raise MalformedError(f"not JSON: {fault}") from None


def encode(value: object) -> bytes:
    """Give a value as JSON bytes, keys in the order of the value.

    Raises:
        MalformedError: the value has a part that JSON cannot carry.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as fault:
        raise MalformedError(f"cannot be written as JSON: {fault}") from None


def encode_canonical(value: object) -> bytes:
    """Give a value as JSON bytes with sorted keys: equal content, equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def encode_pretty(value: object) -> bytes:
    """Give a value as indented JSON bytes for people."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def dump(event: BaseModel) -> dict[str, Any]:
    """Give an event as plain JSON types, fields without a value left out."""
    return event.model_dump(mode="json", exclude_none=True)


def digest(value: object) -> str:
    """Give the digest of a value's canonical content: 32 hexadecimal characters."""
    return blake2b(encode_canonical(value), digest_size=DIGEST_BYTES).hexdigest()


def digest_bytes(raw: bytes) -> str:
    """Give the digest of bytes as they stand: 32 hexadecimal characters."""
    return blake2b(raw, digest_size=DIGEST_BYTES).hexdigest()


def chain(previous: str, raw: bytes) -> str:
    """Extend a chain digest by one record: 32 hexadecimal characters."""
    return blake2b(previous.encode() + raw, digest_size=DIGEST_BYTES).hexdigest()
