"""Packed columns are, byte for byte, what the driver writes."""

import string
from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_driver.columns.service import write_column
from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse import Warehouse
from sinks.packing import packer_of


class Context:
    """As much of a connection as the driver's columns ask."""

    client_settings: dict[str, Any] = {"use_numpy": False, "strings_as_bytes": False}  # noqa: RUF012
    settings: dict[str, Any] = {}  # noqa: RUF012


class Written:
    """The driver's writer, in memory."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def write_strings(self, items: list[str], encoding: str) -> None:
        for item in items:
            text = item.encode(encoding)
            head, size = b"", len(text)
            while size > 0x7F:
                head, size = head + bytes([0x80 | size & 0x7F]), size >> 7
            self.data += head + bytes([size]) + text


def packed(type_name: str, values: list[Any]) -> bytes:
    written = Written()
    packer = packer_of(type_name)
    assert packer is not None
    packer(values, written)
    return written.data


def driven(type_name: str, values: list[Any]) -> bytes:
    written = Written()
    write_column(Context(), "column", type_name, list(values), written)
    return written.data


TEXTS = st.text(max_size=200)
FEW = st.sampled_from(["", "a", "b", "Zoë", "c" * 300])
NUMBERS = st.floats(allow_nan=False) | st.integers(-100, 100)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "UInt8": st.integers(0, 255),
    "UInt32": st.integers(0, 2**32 - 1),
    "UInt64": st.integers(0, 2**64 - 1),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "Float64": NUMBERS,
    "Bool": st.booleans() | st.sampled_from(["", None]),
    "DateTime64(3, 'UTC')": st.integers(0, 2**41),
    "String": TEXTS,
    "LowCardinality(String)": TEXTS | FEW,
    "Array(String)": st.lists(TEXTS, max_size=3),
    "Array(Float64)": st.lists(NUMBERS, max_size=3),
    "Array(LowCardinality(String))": st.lists(FEW | TEXTS, max_size=4),
    "Map(LowCardinality(String), Float64)": st.dictionaries(FEW | TEXTS, NUMBERS, max_size=4),
}
NULLABLE = ("UInt8", "UInt32", "UInt64", "Int64", "Float64", "DateTime64(3, 'UTC')")


@pytest.mark.parametrize("type_name", VALUES)
@given(data=st.data())
def test_columns_are_as_the_driver_writes_them(type_name: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[type_name], max_size=20))
    assert packed(type_name, values) == driven(type_name, values)


@pytest.mark.parametrize("type_name", NULLABLE)
@given(data=st.data())
def test_nothing_stands_in_the_map_of_nulls(type_name: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[type_name] | st.none(), max_size=20))
    assert packed(f"Nullable({type_name})", values) == driven(f"Nullable({type_name})", values)


@pytest.mark.parametrize("count", [255, 256, 257, 65_535, 65_536])
def test_dictionaries_of_every_width(count: int) -> None:
    names = [f"n{number}" for number in range(count)]
    for type_name, values in (
        ("LowCardinality(String)", names),
        ("Array(LowCardinality(String))", [names[:100], names]),
        ("Map(LowCardinality(String), Float64)", [{}, dict.fromkeys(names, 0.5)]),
    ):
        assert packed(type_name, values) == driven(type_name, values)


@pytest.mark.parametrize(
    ("type_name", "values"),
    [
        ("String", ["a", None]),
        ("LowCardinality(String)", ["a", None]),
        ("Array(String)", [["a", 1]]),
        ("UInt64", [1, None]),
        ("DateTime64(3, 'UTC')", [datetime(2026, 1, 1, tzinfo=UTC)]),
        ("Map(LowCardinality(String), Float64)", [{"a": None}]),
    ],
)
def test_values_of_another_type_are_refused_before_anything_is_written(
    type_name: str, values: list[Any]
) -> None:
    written = Written()
    packer = packer_of(type_name)
    assert packer is not None
    with pytest.raises((TypeError, AttributeError)):
        packer(values, written)
    assert written.data == b""


def test_types_that_are_not_known_are_left_to_the_driver(warehouse: Warehouse) -> None:
    for type_name in ("UUID", "Nullable(String)", "LowCardinality(Nullable(String))", "Int128"):
        assert packer_of(type_name) is None
    warehouse.execute(
        "CREATE TABLE odd (a Nullable(String), b DateTime64(3, 'UTC'), c Int128) "
        "ENGINE = MergeTree ORDER BY tuple()"
    )
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    columns: dict[str, list[Any]] = {"a": ["x", None], "b": [moment, moment], "c": [1, -1]}
    assert warehouse.insert("odd", columns, "t") == 2
    assert warehouse.execute("SELECT * FROM odd ORDER BY c") == [
        (None, moment, -1),
        ("x", moment, 1),
    ]


@pytest.mark.parametrize("compression", [False, True])
def test_a_block_of_any_length_lands(compression: bool, warehouse: Warehouse, engine: Any) -> None:
    warehouse.execute("CREATE TABLE t (a String, b UInt64) ENGINE = MergeTree ORDER BY b")
    columns: dict[str, list[Any]] = {
        "a": [string.ascii_letters * 3] * 30_000,
        "b": list(range(30_000)),
    }
    with Warehouse(engine.host, engine.port, warehouse.database, compression=compression) as opened:
        assert opened.insert("t", columns, "t") == 30_000
        assert opened.execute("SELECT count(), uniq(a), sum(b) FROM t") == [
            (30_000, 1, 449_985_000)
        ]
