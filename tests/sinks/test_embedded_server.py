"""The embedded ClickHouse as clickhouse-driver sees it."""

import datetime
import random
import socket
import struct
import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import clickhouse_driver
import pytest
from clickhouse_driver.errors import ServerException

from schemas.errors import MisconfiguredError
from sinks.embedded.process import EmbeddedClickHouse

pytestmark = pytest.mark.embedded

UTC = datetime.UTC


@pytest.fixture(params=[False, "lz4"], ids=["plain", "lz4"])
def client(
    engine: EmbeddedClickHouse, request: pytest.FixtureRequest
) -> Iterator[clickhouse_driver.Client]:
    opened = clickhouse_driver.Client(engine.host, engine.port, compression=request.param)
    yield opened
    opened.disconnect()


COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "u64": ("UInt64", [0, (1 << 64) - 1, 7]),
    "i64": ("Int64", [-(1 << 63), (1 << 63) - 1, 0]),
    "flag": ("Bool", [True, False, True]),
    "maybe": ("Nullable(String)", [None, "", "ünï 中文"]),
    "low": ("LowCardinality(String)", ["a", "b", "a"]),
    "lownull": ("LowCardinality(Nullable(String))", [None, "x", None]),
    "list": ("Array(LowCardinality(String))", [[], ["a", "b"], ["a"]]),
    "nested": ("Array(Array(Nullable(UInt8)))", [[], [[1, None], []], [[3]]]),
    "pair": ("Tuple(name String, score Float64)", [("a", 0.5), ("", -1.0), ("c", 1e300)]),
    "scores": ("Map(String, Float64)", [{}, {"a": 1.0}, {"a": 2.0, "b": 3.0}]),
    "money": ("Decimal(18, 2)", [Decimal("0.01"), Decimal("-999999999.99"), Decimal("5.00")]),
    "at": (
        "DateTime64(3, 'UTC')",
        [datetime.datetime(2026, 1, 2, 3, 4, 5, ms * 1000, tzinfo=UTC) for ms in (0, 1, 999)],
    ),
    "kind": ("Enum8('a' = 1, 'b, c' = 2)", ["a", "b, c", "a"]),
    "id": ("UUID", [uuid.UUID(int=1), uuid.UUID(int=(1 << 128) - 1), uuid.UUID(int=0)]),
    "code": ("FixedString(3)", ["EUR", "CHF", "CNY"]),
    "day": ("Date", [datetime.date(2026, 1, day) for day in (1, 2, 3)]),
}


def test_types_come_back_as_they_were_inserted(client: clickhouse_driver.Client) -> None:
    schema = ", ".join(f"`{name}` {kind}" for name, (kind, _) in COLUMNS.items())
    client.execute(f"CREATE OR REPLACE TABLE kinds (row UInt8, {schema}) ENGINE = Memory")
    names = ", ".join(f"`{name}`" for name in COLUMNS)
    values = [[0, 1, 2], *(each for _, each in COLUMNS.values())]
    client.execute(f"INSERT INTO kinds (row, {names}) VALUES", values, columnar=True)
    rows = client.execute(f"SELECT {names} FROM kinds ORDER BY row")
    assert [list(column) for column in zip(*rows, strict=True)] == values[1:]


def test_row_inserts_and_all_columns_work_too(client: clickhouse_driver.Client) -> None:
    client.execute(
        "CREATE OR REPLACE TABLE pairs (a UInt8, b String, c String MATERIALIZED upper(b)) "
        "ENGINE = Memory"
    )
    assert client.execute("INSERT INTO pairs VALUES", [(1, "x"), (2, "y")]) == 2
    client.execute("INSERT INTO pairs VALUES (3, 'z')")
    assert client.execute("SELECT a, c FROM pairs ORDER BY a") == [(1, "X"), (2, "Y"), (3, "Z")]


def test_results_and_inserts_of_many_blocks_arrive_whole(client: clickhouse_driver.Client) -> None:
    rows = client.execute("SELECT number, toString(number % 7) FROM numbers(300000)")
    assert rows[0] == (0, "0")
    assert [n for n, _ in rows] == list(range(300_000))
    client.execute("CREATE OR REPLACE TABLE many (n UInt32, t String) ENGINE = Memory")
    values = [list(range(50_000)), ["é" * (n % 200) for n in range(50_000)]]
    settings = {"insert_block_size": 7_000}
    client.execute("INSERT INTO many VALUES", values, columnar=True, settings=settings)
    assert client.execute("SELECT count(), sum(n), sum(lengthUTF8(t)) FROM many") == [
        (50_000, sum(values[0]), sum(n % 200 for n in range(50_000)))
    ]


def test_empty_result_still_tells_its_columns(client: clickhouse_driver.Client) -> None:
    query = "SELECT 1 AS a, toLowCardinality('x') AS b WHERE 0 FORMAT Pretty;"
    assert client.execute(query, with_column_types=True) == (
        [],
        [("a", "UInt8"), ("b", "LowCardinality(String)")],
    )


def test_statements_beside_select_give_their_rows(client: clickhouse_driver.Client) -> None:
    client.execute("CREATE OR REPLACE TABLE parts (a UInt8) ENGINE = MergeTree ORDER BY a")
    for value in range(3):
        client.execute("INSERT INTO parts VALUES", [(value,)])
    rows, columns = client.execute(
        "CHECK TABLE parts",
        with_column_types=True,
        settings={"check_query_single_value_result": 0},
    )
    assert columns[0] == ("part_path", "String")
    assert len(rows) == 3  # a block each
    assert client.execute("EXISTS TABLE parts") == [(1,)]
    assert ("parts",) in client.execute("SHOW TABLES FORMAT JSON")
    with pytest.raises(ServerException) as raised:
        client.execute("SELECT 1 FORMAT JSON SETTINGS max_threads = 1")
    assert raised.value.code == 48
    query = "SELECT 1 AS x, 'a' AS y UNION ALL SELECT 2, 'b'"
    rows, columns = client.execute(query, with_column_types=True)
    assert sorted(rows) == [(1, "a"), (2, "b")]
    assert columns == [("x", "UInt8"), ("y", "String")]


def test_result_of_unknown_length_is_an_exception(client: clickhouse_driver.Client) -> None:
    with pytest.raises(ServerException) as raised:
        client.execute("SELECT sumState(1), 1")
    assert raised.value.code == 48
    client.execute("CREATE OR REPLACE TABLE states (s AggregateFunction(sum, UInt8)) ENGINE=Memory")
    with pytest.raises(ServerException) as raised:
        client.execute("INSERT INTO states VALUES", [(b"",)])
    assert raised.value.code == 48
    assert client.execute("SELECT 1") == [(1,)]


def test_settings_hold_for_their_query_only(client: clickhouse_driver.Client) -> None:
    query = "SELECT getSetting('max_threads')"
    usual = client.execute(query)
    assert client.execute(query, settings={"max_threads": 7}) == [(7,)]
    assert client.execute(query) == usual
    assert client.execute(query, settings={"no_such_setting": 1}) == usual
    with pytest.raises(ServerException) as raised:
        client.execute("CREATE DATABASE never", settings={"readonly": 1})
    assert raised.value.code == 164
    client.execute("CREATE DATABASE IF NOT EXISTS after_readonly")


def test_important_unknown_setting_is_refused(engine: EmbeddedClickHouse) -> None:
    client = clickhouse_driver.Client(engine.host, engine.port, settings_is_important=True)
    with pytest.raises(ServerException) as raised:
        client.execute("SELECT 1", settings={"no_such_setting": 1})
    assert raised.value.code == 115
    client.disconnect()


def test_database_comes_from_hello_or_use(engine: EmbeddedClickHouse) -> None:
    first = clickhouse_driver.Client(engine.host, engine.port)
    first.execute("CREATE DATABASE IF NOT EXISTS elsewhere")
    second = clickhouse_driver.Client(engine.host, engine.port, database="elsewhere")
    assert second.execute("SELECT currentDatabase()") == [("elsewhere",)]
    first.execute("USE elsewhere")
    assert first.execute("SELECT currentDatabase()") == [("elsewhere",)]
    with pytest.raises(ServerException) as raised:
        clickhouse_driver.Client(engine.host, engine.port, database="nowhere").execute("SELECT 1")
    assert raised.value.code == 81
    first.disconnect()
    second.disconnect()


def test_failed_inserts_are_exceptions_and_the_connection_lives_on(
    client: clickhouse_driver.Client,
) -> None:
    client.execute(
        "CREATE OR REPLACE TABLE small (a UInt64, CONSTRAINT small CHECK a < 5) "
        "ENGINE = MergeTree ORDER BY a"
    )
    client.execute("CREATE OR REPLACE TABLE source (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.execute("DROP VIEW IF EXISTS failing")
    client.execute(
        "CREATE MATERIALIZED VIEW failing ENGINE = MergeTree ORDER BY b "
        "AS SELECT toUInt8(throwIf(a > 5)) AS b FROM source"
    )
    connection = client.connection.socket
    for statement, code in (
        ("INSERT INTO small (a) VALUES", 469),
        ("INSERT INTO source (a) VALUES", 395),
        ("INSERT INTO missing (a) VALUES", 60),
        ("INSERT INTO small (missing) VALUES", 47),
    ):
        raw = client.connection
        raw.force_connect() if connection is None else None
        with pytest.raises(ServerException) as raised:
            client.process_insert_query(statement, [[9, 10]], columnar=True)
        assert raised.value.code == code
        assert raw.socket is connection  # the protocol stayed in step
    assert client.execute("SELECT count() FROM small") == [(0,)]
    client.execute("DROP VIEW failing")


def test_cancelled_result_stops_and_the_client_goes_on(client: clickhouse_driver.Client) -> None:
    numbers = client.execute_iter("SELECT number FROM numbers(10000000000)")
    assert next(numbers) == (0,)
    client.cancel()
    assert client.execute("SELECT 2") == [(2,)]


def test_failure_after_some_blocks_is_an_exception(client: clickhouse_driver.Client) -> None:
    with pytest.raises(ServerException) as raised:
        client.execute("SELECT number, throwIf(number > 200000) FROM numbers(300000)")
    assert raised.value.code == 395


def test_noise_ends_its_own_connection_only(engine: EmbeddedClickHouse) -> None:
    bystander = clickhouse_driver.Client(engine.host, engine.port)
    assert bystander.execute("SELECT 1") == [(1,)]
    noise = random.Random(7)
    hello = b"\x00\x01x\x14\x0a" + b"\xc4\xa9\x03" + b"\x00\x07default\x00"
    for attempt in range(40):
        with socket.create_connection((engine.host, engine.port), timeout=10) as raw:
            body = noise.randbytes(noise.randint(1, 300))
            raw.sendall((hello if attempt % 2 else b"") + body)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass  # the server ends it
    assert bystander.execute("SELECT 2") == [(2,)]
    bystander.disconnect()


def test_block_with_a_lying_length_is_refused(engine: EmbeddedClickHouse) -> None:
    client = clickhouse_driver.Client(engine.host, engine.port)
    client.execute("CREATE OR REPLACE TABLE lied (s String) ENGINE = Memory")
    client.connection.send_query("INSERT INTO lied VALUES")
    client.connection.send_external_tables([])
    client.receive_sample_block()
    huge = b"\x01\x00\x02\xff\xff\xff\xff\x00\x01\x01\x01s\x06String" + b"\xff" * 9 + b"\x01"
    client.connection.socket.sendall(b"\x02\x00" + huge)
    with pytest.raises(EOFError):
        client.receive_end_of_insert_query()
    client.disconnect()
    assert client.execute("SELECT count() FROM lied") == [(0,)]
    client.disconnect()


def test_clients_write_and_read_at_once(engine: EmbeddedClickHouse) -> None:
    main = clickhouse_driver.Client(engine.host, engine.port)
    main.execute("CREATE OR REPLACE TABLE shared (w UInt8, n UInt32) ENGINE=MergeTree ORDER BY n")
    failures: list[BaseException] = []

    def write(worker: int) -> None:
        own = clickhouse_driver.Client(engine.host, engine.port, compression=bool(worker % 2))
        try:
            for turn in range(10):
                values = [[worker] * 100, list(range(turn * 100, turn * 100 + 100))]
                own.execute("INSERT INTO shared VALUES", values, columnar=True)
                own.execute("SELECT count() FROM shared")
        except BaseException as error:
            failures.append(error)
        own.disconnect()

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert main.execute("SELECT count(), uniqExact(w, n) FROM shared") == [(6000, 6000)]
    main.disconnect()


def test_stranger_is_refused(engine: EmbeddedClickHouse) -> None:
    with pytest.raises(ServerException) as raised:
        clickhouse_driver.Client(engine.host, engine.port, password="x").execute("SELECT 1")
    assert raised.value.code == 516


def test_second_process_on_a_directory_is_refused(engine: EmbeddedClickHouse) -> None:
    with pytest.raises(MisconfiguredError, match="another process"):
        EmbeddedClickHouse(engine.data_dir).start()


def test_taken_port_is_refused(engine: EmbeddedClickHouse, tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="cannot listen"):
        EmbeddedClickHouse(tmp_path, engine.port).start()


def test_old_client_is_refused(engine: EmbeddedClickHouse) -> None:
    with socket.create_connection((engine.host, engine.port), timeout=10) as raw:
        raw.sendall(struct.pack("<6B", 0, 0, 1, 1, 5, 0) + b"\x07default\x00")
        assert raw.recv(100) == b""
