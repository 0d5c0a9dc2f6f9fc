from pathlib import Path

import pytest

from schemas.errors import IncompatibleError, MisconfiguredError
from sinks.clickhouse import Warehouse
from sinks.migrate import MIGRATIONS_DIR, Migration, migrate, pending, read_migrations

FIRST = """-- Tickets; two statements.
CREATE TABLE IF NOT EXISTS {database}.tickets (id String DEFAULT 'a;b') ENGINE = MergeTree
ORDER BY id; -- the end
CREATE VIEW IF NOT EXISTS {database}.every_ticket AS SELECT id, '50 %' AS share
FROM {database}.tickets;
"""
SECOND = "ALTER TABLE {database}.tickets ADD COLUMN IF NOT EXISTS priority UInt8;\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "0001_tickets.sql").write_text(FIRST)
    (tmp_path / "0002_priority.sql").write_text(SECOND)
    return tmp_path


def test_statements_end_at_semicolons_that_end_lines() -> None:
    statements = Migration(1, "0001_a", FIRST).statements("desk")
    assert len(statements) == 2
    assert "desk.tickets (id String DEFAULT 'a;b')" in statements[0]
    assert statements[1].endswith("FROM desk.tickets")


@pytest.mark.embedded
def test_migrate_applies_each_once_in_order(warehouse: Warehouse, directory: Path) -> None:
    assert migrate(warehouse, directory) == ["0001_tickets", "0002_priority"]
    assert migrate(warehouse, directory) == []
    warehouse.execute("INSERT INTO tickets (id, priority) VALUES ('t', 2)")
    assert warehouse.execute("SELECT * FROM every_ticket") == [("t", "50 %")]
    rows = warehouse.execute("SELECT number, name, length(sha256) FROM schema_migrations")
    assert sorted(rows) == [(1, "0001_tickets", 64), (2, "0002_priority", 64)]


@pytest.mark.embedded
def test_migrate_goes_on_where_it_was_interrupted(warehouse: Warehouse, directory: Path) -> None:
    (directory / "0002_priority.sql").write_text(SECOND + "SELECT nope;\n")
    with pytest.raises(IncompatibleError):
        migrate(warehouse, directory)
    (directory / "0002_priority.sql").write_text(SECOND)
    assert migrate(warehouse, directory) == ["0002_priority"]


@pytest.mark.embedded
def test_changed_or_unknown_migration_is_refused(warehouse: Warehouse, directory: Path) -> None:
    migrate(warehouse, directory)
    (directory / "0002_priority.sql").write_text(SECOND + "\n")
    with pytest.raises(IncompatibleError, match="0002_priority has changed"):
        migrate(warehouse, directory)
    (directory / "0002_priority.sql").unlink()
    with pytest.raises(IncompatibleError, match="newer code"):
        migrate(warehouse, directory)


@pytest.mark.embedded
def test_pending_applies_nothing(warehouse: Warehouse, directory: Path) -> None:
    assert [each.number for each in pending(warehouse, directory)] == [1, 2]
    assert [each.number for each in pending(warehouse, directory)] == [1, 2]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE {database}.t;",
        "ALTER TABLE t DROP COLUMN a;",
        "ALTER TABLE t DROP PARTITION 1;",
        "TRUNCATE TABLE t;",
        "ALTER TABLE t DELETE WHERE 1;",
        "DELETE FROM t WHERE 1;",
        "ALTER TABLE t MODIFY TTL toDateTime(occurred_at) + INTERVAL 1 YEAR;",
        "CREATE OR REPLACE TABLE t (a UInt8) ENGINE = Memory;",
        "CREATE TABLE t (a UInt8) ENGINE = Memory;",
        "ALTER TABLE t ADD COLUMN a UInt8;",
    ],
)
def test_dangerous_statement_needs_its_reason(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "0001_danger.sql"
    path.write_text(statement)
    with pytest.raises(MisconfiguredError, match="0001_danger"):
        read_migrations(tmp_path)
    path.write_text("-- dangerous:\n" + statement)
    with pytest.raises(MisconfiguredError):
        read_migrations(tmp_path)
    path.write_text("-- dangerous: the table was never filled\n" + statement)
    assert len(read_migrations(tmp_path)) == 1


def test_danger_in_a_comment_is_none(tmp_path: Path) -> None:
    (tmp_path / "0001_calm.sql").write_text("-- never DROP TABLE here\nSELECT 1;")
    assert len(read_migrations(tmp_path)) == 1


def test_every_fault_of_the_files_is_named(tmp_path: Path) -> None:
    for name in ("0001_a.sql", "0003_b.sql", "4_c.sql"):
        (tmp_path / name).write_text("TRUNCATE TABLE t;" if "b" in name else "SELECT 1;")
    with pytest.raises(MisconfiguredError) as raised:
        read_migrations(tmp_path)
    for part in ("4_c.sql", "1, 2, 3", "0003_b: truncates"):
        assert part in str(raised.value)


def test_own_migrations_are_sound() -> None:
    assert all(each.statements("desk") for each in read_migrations(MIGRATIONS_DIR))
