"""What may become part of a statement: names by allow-list, values by type."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from typing import Final

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,126}")
_TABLE: Final = re.compile(rf"(?:{_IDENTIFIER.pattern}\.)?{_IDENTIFIER.pattern}")
_QUOTABLE: Final = (
    str, int, float, bool, decimal.Decimal, datetime.date, datetime.datetime, uuid.UUID, type(None)
)  # fmt: skip


def require_identifier(name: str) -> str:
    """Return a column's or database's name if it is safe inside a statement.

    Raises:
        ValueError: It is not letters, digits and underscores, or starts with a digit.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is not an identifier: use letters, digits and underscores")
    return name


def require_table(name: str) -> str:
    """Return `table` or `database.table` if it is safe inside a statement.

    Raises:
        ValueError: It is not.
    """
    if not _TABLE.fullmatch(name):
        raise ValueError(f"{name!r} is not a table's name: use letters, digits and underscores")
    return name


def require_quotable(name: str, value: object) -> None:
    """Refuse a parameter that the driver would quote wrongly: bytes, mappings, foreign objects.

    Raises:
        ValueError: Its type, or that of an element, has no safe quoting.
    """
    if isinstance(value, list | tuple):
        for each in value:
            require_quotable(name, each)
    elif not isinstance(value, _QUOTABLE):
        raise ValueError(f"parameter {name} is a {type(value).__name__}, which has no safe quoting")
