"""Applies numbered SQL files in order, each once, and refuses files changed since.

To add one: write `sinks/migrations/NNNN_what_it_does.sql` with the next number. Statements end with
`;` at the end of a line; `{database}` stands for the database. Files are never edited after they
were applied anywhere: write the next one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from schemas.errors import IncompatibleError, MisconfiguredError

MIGRATIONS_DIR: Final = Path(__file__).resolve().parent / "migrations"

_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_STATEMENT_END: Final = re.compile(r";[ \t]*(?:--[^\n]*)?$", re.MULTILINE)
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WAIVER: Final = re.compile(r"^--[ \t]*dangerous:[ \t]*\S", re.MULTILINE | re.IGNORECASE)

_DANGERS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for name, pattern in (
        ("drops data", r"\b(?:DROP|DETACH)\s+(?:TABLE|DATABASE|COLUMN|PARTITION|PART)\b"),
        ("truncates", r"\bTRUNCATE\b"),
        (
            "changes rows in place",
            r"\bALTER\s+TABLE\b[^;]*\b(?:DELETE|UPDATE|CLEAR)\b|\bDELETE\s+FROM\b",
        ),
        ("expires rows by event time", r"\bTTL\b[^,;]*\boccurred_at\b"),
        ("replaces a table", r"\b(?:CREATE\s+OR\s+REPLACE|REPLACE)\s+TABLE\b"),
        (
            "cannot run twice (say IF NOT EXISTS or OR REPLACE)",
            r"\bCREATE\s+(?:TABLE|DATABASE|VIEW|MATERIALIZED\s+VIEW|DICTIONARY)\s+(?!IF\s+NOT\s+EXISTS)"
            r"|\bADD\s+(?:COLUMN|INDEX|PROJECTION|CONSTRAINT)\s+(?!IF\s+NOT\s+EXISTS)",
        ),
    )
)

_LEDGER: Final = """
CREATE TABLE IF NOT EXISTS {database}.schema_migrations (
    number UInt32,
    name String,
    sha256 FixedString(64),
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree ORDER BY number
"""


class Executor(Protocol):
    """What migrations need of a warehouse."""

    database: str

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Run one statement and return its rows."""

    def create_database(self) -> None:
        """Create `database` if it is missing."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The digest of its text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self, database: str) -> list[str]:
        """Its statements, in order, for one database."""
        text = self.text.replace("{database}", database)
        parts = (part.strip() for part in _STATEMENT_END.split(text))
        return [part for part in parts if _COMMENT.sub("", part).strip()]

    def dangers(self) -> list[str]:
        """What in it could lose data or not be repeated; empty if it says why it may.

        A line `-- dangerous: reason` in the file allows everything in that file.
        """
        if _WAIVER.search(self.text):
            return []
        code = _COMMENT.sub("", self.text)
        return [f"{self.name}: {danger}" for danger, found in _DANGERS if found.search(code)]


def read_migrations(directory: Path = MIGRATIONS_DIR) -> list[Migration]:
    """Read all migrations of a directory, by number.

    Raises:
        MisconfiguredError: A name, the numbering (1, 2, 3, ...) or a statement is at fault; the
            message names every fault.
    """
    faults: list[str] = []
    migrations: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        if match := _FILE_NAME.fullmatch(path.name):
            text = path.read_text(encoding="utf-8")
            migrations.append(Migration(int(match[1]), path.stem, text))
        else:
            faults.append(f"{path.name}: not named NNNN_name.sql")
    if [each.number for each in migrations] != list(range(1, len(migrations) + 1)):
        faults.append(f"numbers do not run 1, 2, 3, ...: {[each.name for each in migrations]}")
    for migration in migrations:
        faults += migration.dangers()
    if faults:
        raise MisconfiguredError("migrations at fault: " + "; ".join(faults))
    return migrations


def pending(warehouse: Executor, directory: Path = MIGRATIONS_DIR) -> list[Migration]:
    """Return the migrations not yet applied, in order; creates the database and the ledger.

    Raises:
        IncompatibleError: An applied file has changed or is gone, or a later one was applied
            before an earlier: this code does not fit this database.
        MisconfiguredError: A file is at fault.
        UnavailableError: The warehouse cannot serve now.
    """
    migrations = read_migrations(directory)
    warehouse.create_database()
    warehouse.execute(_LEDGER.replace("{database}", warehouse.database))
    rows = warehouse.execute(
        f"SELECT number, name, sha256 FROM {warehouse.database}.schema_migrations ORDER BY number"
    )
    by_number = {each.number: each for each in migrations}
    applied: set[int] = set()
    for number, name, sha256 in rows:
        assert isinstance(number, int)
        known = by_number.get(number)
        if known is None:
            raise IncompatibleError(f"{name} is applied but unknown here: run newer code")
        if (known.name, known.sha256) != (name, sha256):
            raise IncompatibleError(
                f"{known.name} has changed since it was applied: restore it, add the next number"
            )
        applied.add(number)
    if applied != set(range(1, len(applied) + 1)):
        raise IncompatibleError(f"migrations were applied with gaps: {sorted(applied)}")
    return [each for each in migrations if each.number not in applied]


def migrate(warehouse: Executor, directory: Path = MIGRATIONS_DIR) -> list[str]:
    """Apply what is pending and return the names; applying again changes nothing.

    A file is noted as applied after its last statement, so a crash inside runs it again from its
    start: statements have to bear that.

    Raises:
        IncompatibleError: A statement failed, or as `pending`.
        MisconfiguredError: A file is at fault.
        UnavailableError: The warehouse cannot serve now: run again.
    """
    names: list[str] = []
    for migration in pending(warehouse, directory):
        for statement in migration.statements(warehouse.database):
            warehouse.execute(statement)
        warehouse.execute(
            f"INSERT INTO {warehouse.database}.schema_migrations (number, name, sha256) "
            f"SELECT {migration.number}, '{migration.name}', '{migration.sha256}'"
        )
        names.append(migration.name)
    return names
