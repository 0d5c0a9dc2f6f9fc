"""Personal data out of events, before anything is decided or written.

Free text: card numbers, IBANs, e-mail addresses, phone numbers, Chinese resident ids, passwords
and one-time codes become ``<card>``, ``<iban>``, ``<email>``, ``<phone>``, ``<id>``,
``<secret>``. Identifiers that are card numbers, cards and devices become keyed tokens, so that
equal ones stay equal. What is masked stays as it is when masked again.
"""

import re
from hashlib import blake2b
from typing import TypeVar

from pydantic import BaseModel

from models.masking_patterns import is_luhn, mask_text

E = TypeVar("E", bound=BaseModel)

TOKEN = "tok_"
_TOKEN_BYTES = 12
_SHORTEST = 12
"""Shorter identifiers cannot hold a card number."""

_SHORT = frozenset({"device_id", "subject", "text"})
_TEXTS = frozenset({"subject", "text"})
_PLAIN = frozenset({"type", "occurred_at", "known_at", "expires_at", "currency", "country"})
_CARD = re.compile(r"\d(?:[ -]?\d){11,18}\Z")
_CARD_IN_NAME = re.compile(r"(?<![0-9A-Za-z])\d(?:[ -]?\d){12,18}(?![0-9A-Za-z])")
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}"
    r"|35\d{14}|6\d{15,18}"
)


def mask(event: E, key: bytes) -> E:
    """Give the event without personal data; the same object if there was none.

    Args:
        event: A validated event of any kind.
        key: Keys the tokens; whoever lacks it cannot tell which card a token stands for.

    Raises:
        ValueError: the key is longer than 64 bytes.
    """
    changes: dict[str, object] = {}
    for name, value in event.__dict__.items():
        if isinstance(value, str):
            if (len(value) < _SHORTEST and name not in _SHORT) or name in _PLAIN or not value:
                continue
            masked = _mask_field(name, value, key)
            if masked != value:
                changes[name] = masked
        elif value.__class__ is tuple:
            each = tuple(_mask_identifier(item, key) for item in value)
            if each != value:
                changes[name] = each
    return event.model_copy(update=changes) if changes else event


def tokenise(value: str, key: bytes) -> str:
    """Give the keyed token that stands for a value; a token stays as it is.

    >>> tokenise(tokenise("4111111111111111", b"k"), b"k") == tokenise("4111111111111111", b"k")
    True
    """
    if _is_token(value):
        return value
    return TOKEN + blake2b(value.encode(), digest_size=_TOKEN_BYTES, key=key).hexdigest()


def _mask_field(name: str, value: str, key: bytes) -> str:
    if name in _TEXTS:
        return mask_text(value)
    if name == "device_id":
        return tokenise(value, key)
    if name == "card" and _CARD.match(value):
        return tokenise(_digits(value), key)
    return _mask_identifier(value, key)


def _mask_identifier(value: str, key: bytes) -> str:
    """Tokenise an identifier that is, or holds, a card number of a known issuer's form."""
    if len(value) < 13 or not _CARD_IN_NAME.search(value) or _is_token(value):
        return value
    return _CARD_IN_NAME.sub(
        lambda found: (
            tokenise(_digits(found.group()), key)
            if _ISSUED.fullmatch(_digits(found.group())) and is_luhn(_digits(found.group()))
            else found.group()
        ),
        value,
    )


def _digits(value: str) -> str:
    return "".join(character for character in value if character.isdigit())


def _is_token(value: str) -> bool:
    return value.startswith(TOKEN) and len(value) == len(TOKEN) + 2 * _TOKEN_BYTES
