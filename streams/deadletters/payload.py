r"""A refused payload for a person's eyes: personal data masked, nothing that commands a terminal.

Text is masked by the patterns of :mod:`models.masking_patterns`; in JSON also what stands in
fields for cards and devices, and card numbers that came as numbers. Names and addresses of people
no pattern finds: whoever may look still looks at personal data. Characters that are not printable
(escape sequences, marks that turn the direction of writing) are shown as ``\x1b``, ``\u202e``.
"""

from collections.abc import Mapping
from typing import Any

from models.masking import tokenise
from models.masking_patterns import mask_text
from schemas.codec import decode_json, encode_pretty
from schemas.errors import MalformedError

SHOWN_CHARS = 8_000
JSON_BYTES = 65_536
"""Larger payloads are shown as text: masking every value of theirs would take long."""
MARGIN_CHARS = 256
"""What a cut may split lies in the last so many characters, which are not shown."""
SHOWN_BYTES = 256
LEVELS = 50
TOKENISED = frozenset({"card", "device_id"})


def show_payload(value: bytes | None, key: bytes) -> str:
    """Give a payload as text that is masked and harmless to print, cut where it is long.

    Args:
        value: The bytes as they came.
        key: Keys the tokens for cards and devices.
    """
    if value is None:
        return "(no value)"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return _show_bytes(value)
    if "\x00" in text:  # characters of two bytes hide what the patterns look for
        return _show_bytes(value)
    if len(value) <= JSON_BYTES:
        try:
            masked = encode_pretty(_mask(decode_json(value), key, LEVELS)).decode().rstrip()
        except (MalformedError, TypeError):
            pass
        else:
            return _cut(printable(masked), SHOWN_CHARS)
    return _cut(show_text(text), SHOWN_CHARS)


def show_text(text: str) -> str:
    """Give a text, or the beginning of a long one, masked and harmless to print."""
    return printable(_mask_long(text))


def printable(text: str) -> str:
    r"""Give a text with everything that is not printable escaped, but for ends of lines.

    >>> printable("a\x1b[2Jb\u202e 中　文")
    'a\\x1b[2Jb\\u202e 中　文'
    """
    if text.isprintable():
        return text
    return "".join(
        each
        if each.isprintable() or each in "\n\u3000"
        else each.encode("unicode_escape", "surrogatepass").decode()
        for each in text
    )


def printable_json(raw: bytes) -> str:
    r"""Give JSON with everything that is not printable escaped as JSON does: the same content.

    >>> printable_json('"\x7f"'.encode())
    '"\\u007f"'
    """
    text = raw.decode()
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _json_escape(each) for each in text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _mask(value: Any, key: bytes, levels: int) -> Any:
    """Mask every text and number of a JSON value."""
    if isinstance(value, dict | list) and levels == 0:
        return "…"
    if isinstance(value, Mapping):
        return {
            mask_text(str(name)): _mask_field(str(name), inner, key, levels - 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_mask(inner, key, levels - 1) for inner in value]
    if isinstance(value, str):
        return _mask_long(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        written = repr(value)
        return value if mask_text(written) == written else mask_text(written)
    return value


def _mask_long(text: str) -> str:
    if len(text) <= SHOWN_CHARS:
        return mask_text(text)
    return mask_text(text[:SHOWN_CHARS])[:-MARGIN_CHARS] + " …"


def _mask_field(name: str, value: Any, key: bytes, levels: int) -> Any:
    if name in TOKENISED and isinstance(value, str | int) and not isinstance(value, bool):
        return tokenise(str(value), key)
    return _mask(value, key, levels)


def _show_bytes(value: bytes) -> str:
    """Give the beginning of what is no text: digits hidden, the unprintable as hex."""
    shown = "".join(
        "#" if byte in b"0123456789" else chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"
        for byte in value[:SHOWN_BYTES]
    )
    rest = f" … ({len(value)} bytes in all)" if len(value) > SHOWN_BYTES else ""
    return f"(not text) {shown}{rest}"


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[:chars]}\n… (cut; --raw writes all of it)"
