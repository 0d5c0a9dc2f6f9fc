import datetime
import socket
import threading
import uuid

import pytest

from schemas.errors import (
    IncompatibleError,
    MisconfiguredError,
    RiverdeskError,
    UnavailableError,
)
from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse
from sinks.faults import MISCONFIGURED_CODES, RETRY_AFTER_S, fault_of
from sinks.quoting import require_identifier, require_table


@pytest.mark.parametrize("code", [252, 159, 164, 242, 60, 241, 243, 999, 202, 745, 319])
def test_fault_of_trouble_is_to_wait(code: int) -> None:
    fault = fault_of(code, "DB::Exception: no. Stack trace:\n\n0. somewhere")
    assert isinstance(fault, UnavailableError)
    assert fault.retry_after_s > 0
    assert str(fault) == f"ClickHouse said {code}: no"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (81, MisconfiguredError),
        (516, MisconfiguredError),
        (53, IncompatibleError),
        (469, IncompatibleError),
        (62, IncompatibleError),
        (0, IncompatibleError),
        (99999, IncompatibleError),
    ],
)
def test_fault_of_code_asks_for_one_thing(code: int, kind: type[RiverdeskError]) -> None:
    assert type(fault_of(code, "m")) is kind


def test_codes_mean_one_thing_only() -> None:
    assert not MISCONFIGURED_CODES & RETRY_AFTER_S.keys()


@pytest.mark.parametrize("name", ["a b", "", "1a", "a`", "a;", "a.b", "é", "a\n", "x" * 200])
def test_identifier_that_could_be_more_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        require_identifier(name)


def test_table_may_name_its_database_and_nothing_more() -> None:
    assert require_table("a.b") == "a.b"
    with pytest.raises(ValueError, match="table"):
        require_table("a.b.c")


def test_no_server_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UnavailableError, match="away"):
        Warehouse("127.0.0.1", port).ping()


def test_server_that_hangs_up_or_talks_nonsense_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"):
                client, _ = listener.accept()
                with client:
                    client.recv(1000)
                    client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        warehouse = Warehouse("127.0.0.1", listener.getsockname()[1])
        for _ in range(2):
            with pytest.raises(UnavailableError):
                warehouse.ping()
        thread.join()


@pytest.mark.embedded
def test_execute_quotes_parameters(warehouse: Warehouse) -> None:
    hostile = "'; DROP TABLE x -- \\' %(a)s \n\t\x00"
    at = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    params = {"t": hostile, "n": -5, "l": ["a", "b'"], "u": uuid.UUID(int=3), "d": at}
    [(text, number, values, identity, when)] = warehouse.execute(
        "SELECT %(t)s, %(n)s, %(l)s, toUUID(%(u)s), toDateTime64(%(d)s, 3, 'UTC')", params
    )
    assert (text, number, values, identity, when) == (
        hostile,
        -5,
        ["a", "b'"],
        uuid.UUID(int=3),
        at,
    )
    assert warehouse.execute("SELECT '100 %'") == [("100 %",)]


@pytest.mark.parametrize("value", [b"x", {"a": 1}, [b"x"], object()])
def test_execute_refuses_parameters_without_safe_quoting(value: object) -> None:
    with pytest.raises(ValueError, match="no safe quoting"):
        Warehouse().execute("SELECT %(a)s", {"a": value})


@pytest.mark.embedded
def test_table_names_its_columns(warehouse: Warehouse) -> None:
    assert warehouse.table("SELECT 1 AS a, 'x' AS b") == (["a", "b"], [(1, "x")])
    assert warehouse.table("CREATE TABLE t (a UInt8) ENGINE = Memory") == ([], [])


@pytest.mark.embedded
def test_insert_counts_rows_and_refuses_what_cannot_be(warehouse: Warehouse) -> None:
    warehouse.execute("CREATE TABLE t (a UInt8, b String) ENGINE = MergeTree ORDER BY a")
    assert warehouse.insert("t", {"a": range(3), "b": ("x", "y", "z")}, "one") == 3
    assert warehouse.insert("t", {"a": [], "b": []}, "none") == 0
    assert warehouse.execute("SELECT a, b FROM t") == [(0, "x"), (1, "y"), (2, "z")]
    with pytest.raises(ValueError, match="one length"):
        warehouse.insert("t", {"a": [1], "b": []}, "uneven")
    with pytest.raises(ValueError, match="token"):
        warehouse.insert("t", {"a": [1], "b": ["x"]}, "")
    with pytest.raises(ValueError, match="identifier"):
        warehouse.insert("t", {"a) SELECT 1 --": [1]}, "hostile")


@pytest.mark.embedded
def test_insert_is_recognised_by_its_token(warehouse: Warehouse) -> None:
    warehouse.execute(
        "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a "
        "SETTINGS non_replicated_deduplication_window = 100"
    )
    for token in ("one", "two", "one", "two"):  # equal rows, but two inserts
        warehouse.insert("t", {"a": [1]}, token)
    assert warehouse.execute("SELECT a FROM t") == [(1,), (1,)]


@pytest.mark.embedded
@pytest.mark.parametrize(
    "columns",
    [{"a": ["text"], "b": ["x"]}, {"a": [300], "b": ["x"]}, {"a": [1], "b": [5]}, {"nope": [1]}],
    ids=["text", "range", "number", "column"],
)
def test_insert_that_does_not_fit_is_incompatible(
    warehouse: Warehouse, columns: dict[str, list[object]]
) -> None:
    warehouse.execute("CREATE TABLE t (a UInt8, b String) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(IncompatibleError):
        warehouse.insert("t", columns, "bad")
    assert warehouse.execute("SELECT count() FROM t") == [(0,)]  # and the connection is whole


@pytest.mark.embedded
def test_missing_table_is_waited_for(warehouse: Warehouse) -> None:
    with pytest.raises(UnavailableError):
        warehouse.insert("t", {"a": [1]}, "early")
    warehouse.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    assert warehouse.insert("t", {"a": [1]}, "early") == 1


@pytest.mark.embedded
def test_wrong_password_or_database_is_misconfigured(engine: EmbeddedClickHouse) -> None:
    with pytest.raises(MisconfiguredError) as raised:
        Warehouse(engine.host, engine.port, password="hunter2").ping()
    assert "hunter2" not in str(raised.value)
    with pytest.raises(MisconfiguredError, match="nowhere"):
        Warehouse(engine.host, engine.port, "nowhere").ping()
