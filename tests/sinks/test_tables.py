"""Tables, their SQL and docs/warehouse.md say the same."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_samples import migrated as migrated_warehouse

from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse
from sinks.tables import NULLABLE, TABLES

DOCUMENT = Path(__file__).parents[2] / "docs" / "warehouse.md"
Columns = dict[str, list[tuple[str, str, str]]]


@pytest.fixture(scope="module")
def migrated(engine: EmbeddedClickHouse) -> Iterator[Warehouse]:
    with migrated_warehouse(engine, "tables") as warehouse:
        yield warehouse


def columns_in_the_warehouse(warehouse: Warehouse) -> tuple[Columns, Columns]:
    """Name, type and comment of each column, of tables and of views."""
    tables: Columns = {}
    views: Columns = {}
    for table, engine, name, type_name, comment in warehouse.execute(
        "SELECT table, engine, c.name, c.type, c.comment FROM system.columns AS c "
        "INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table "
        "WHERE c.database = %(database)s AND table != 'schema_migrations' "
        "ORDER BY table, position",
        {"database": warehouse.database},
    ):
        found = views if engine == "View" else tables
        found.setdefault(table, []).append((name, type_name, comment))
    return tables, views


def columns_in_the_document(text: str) -> tuple[Columns, Columns]:
    """The same as the document tells it; views have no types."""
    tables: Columns = {}
    views: Columns = {}
    _, table_part, view_part = re.split(r"^## (?:Tables|Views)$", text, flags=re.MULTILINE)
    for part, found in ((table_part, tables), (view_part, views)):
        for section in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
            name = section.split("\n", 1)[0].strip()
            rows = re.findall(r"^\| `(\w+)` \|(?: `([^|]+)` \|)? (.+) \|$", section, re.MULTILINE)
            found[name] = [(column, type_name, meaning) for column, type_name, meaning in rows]
    return tables, views


def test_document_tells_every_table_and_column_as_the_sql_does(migrated: Warehouse) -> None:
    documented, _ = columns_in_the_document(DOCUMENT.read_text(encoding="utf-8"))
    actual, _ = columns_in_the_warehouse(migrated)
    assert documented == actual


def test_document_tells_every_view_and_column(migrated: Warehouse) -> None:
    _, documented = columns_in_the_document(DOCUMENT.read_text(encoding="utf-8"))
    _, actual = columns_in_the_warehouse(migrated)
    assert {view: [name for name, _, _ in columns] for view, columns in documented.items()} == {
        view: [name for name, _, _ in columns] for view, columns in actual.items()
    }
    assert all(meaning for columns in documented.values() for _, _, meaning in columns)


def test_check_of_the_document_notices_a_missing_column() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shortened = re.sub(r"^\| `budget_left`.*\n", "", text, flags=re.MULTILINE)
    assert columns_in_the_document(shortened) != columns_in_the_document(text)


def test_every_column_says_what_it_means(migrated: Warehouse) -> None:
    tables, _ = columns_in_the_warehouse(migrated)
    assert [
        (t, name) for t, columns in tables.items() for name, _, about in columns if not about
    ] == []


def test_projection_fills_exactly_the_columns_of_the_sql(migrated: Warehouse) -> None:
    actual, _ = columns_in_the_warehouse(migrated)
    filled_by_default = {"journal_entries": {"inserted_at"}}
    assert {table.name: set(table.columns) for table in TABLES} == {
        name: {column for column, _, _ in columns} - filled_by_default.get(name, set())
        for name, columns in actual.items()
    }
    assert all(len(set(table.columns)) == len(table.columns) for table in TABLES)


def test_nullable_names_what_the_sql_lets_be_null(migrated: Warehouse) -> None:
    actual, _ = columns_in_the_warehouse(migrated)
    nullable = {
        name
        for columns in actual.values()
        for name, type_name, _ in columns
        if type_name.startswith("Nullable")
    }
    assert nullable == NULLABLE


def test_text_columns_alone_may_be_empty_instead_of_null(migrated: Warehouse) -> None:
    actual, _ = columns_in_the_warehouse(migrated)
    types = {
        type_name
        for columns in actual.values()
        for name, type_name, _ in columns
        if name in NULLABLE
    }
    assert not [each for each in types if "String" in each]


def test_tables_collapse_by_position_and_never_expire(migrated: Warehouse) -> None:
    made = migrated.execute(
        "SELECT name, engine, sorting_key, partition_key, create_table_query FROM system.tables "
        "WHERE database = %(database)s AND engine != 'View' AND name != 'schema_migrations'",
        {"database": migrated.database},
    )
    assert len(made) == len(TABLES)
    for name, engine, sorting_key, partition_key, query in made:
        assert engine == "ReplacingMergeTree", name
        effect = ", effect_index" if name in ("alerts", "priority_changes", "questions") else ""
        expected = {
            "journal_entries": "journal_partition, number, journal_offset",
            "lessons": "lesson_partition, lesson_offset",
            "quality": "quality_partition, quality_offset",
        }.get(name, f"journal_partition, number{effect}")
        assert sorting_key == expected, name
        assert partition_key == "toYYYYMM(appended_at)", name
        assert "non_replicated_deduplication_window = 10000" in query, name
        assert " TTL " not in query, name


def test_example_queries_of_the_document_run(migrated: Warehouse) -> None:
    examples = re.findall(r"```sql\n(.+?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 8
    for example in examples:
        names, _ = migrated.table(example)
        assert names, example
