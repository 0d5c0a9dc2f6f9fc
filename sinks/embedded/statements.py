"""What the server has to know of a statement before the engine sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_IDENTIFIER: Final = r"(?:\w+|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\")"
_COLUMNS: Final = (
    rf"\(\s*{_IDENTIFIER}(?:\.{_IDENTIFIER})*(?:\s*,\s*{_IDENTIFIER}(?:\.{_IDENTIFIER})*)*\s*\)"
)
_INSERT: Final = re.compile(
    rf"INSERT\s+INTO\s+(?:TABLE\s+)?(?P<table>{_IDENTIFIER}(?:\s*\.\s*{_IDENTIFIER})?)\s*"
    rf"(?P<columns>{_COLUMNS})?\s*"
    r"(?P<settings>SETTINGS\s+.+?)?\s*"
    r"(?:VALUES|FORMAT\s+(?:Native|Values))\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/)|\s+", re.DOTALL)
_SELECT: Final = re.compile(r"\(*\s*(?:SELECT|WITH)\b", re.IGNORECASE)
_READS: Final = re.compile(
    r"\(*\s*(?:SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK)\b", re.IGNORECASE
)
_TAIL: Final = re.compile(r"(?:\s+FORMAT\s+\w+)?\s*;?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT whose rows follow in data packets.

    Args:
        table: The table as written, perhaps with its database.
        columns: The list of columns with its brackets, or nothing for all.
        settings: The SETTINGS clause, or nothing.
    """

    table: str
    columns: str
    settings: str

    @property
    def sample(self) -> str:
        """The SELECT whose columns are those to be inserted."""
        return f"SELECT {self.columns[1:-1] or '*'} FROM {self.table}"

    def from_file(self, quoted_path: str) -> str:
        """The statement that inserts a file of Native blocks."""
        target = f"INSERT INTO {self.table} {self.columns}"
        return f"{target} FROM INFILE {quoted_path} {self.settings} FORMAT Native"


def without_comments_before(text: str) -> str:
    """Drop blanks and comments before the first word."""
    position = 0
    while match := _COMMENT.match(text, position):
        position = match.end()
    return text[position:]


def insert_of(text: str) -> Insert | None:
    """Return the parts of an INSERT that waits for data packets, None for any other statement."""
    if match := _INSERT.fullmatch(without_comments_before(text)):
        return Insert(match["table"], match["columns"] or "", match["settings"] or "")
    return None


def without_format(text: str) -> str:
    """Return a statement that reads without its FORMAT clause and semicolon, any other as it is.

    A server leaves output formats to its client, which gets blocks whatever FORMAT says.
    """
    statement = without_comments_before(text)
    return _TAIL.sub("", statement, count=1) if _READS.match(statement) else text


def is_selection(text: str) -> bool:
    """Whether a statement is a SELECT, so that its columns can be asked for."""
    return _SELECT.match(without_comments_before(text)) is not None
