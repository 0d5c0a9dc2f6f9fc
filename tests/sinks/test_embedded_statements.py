import sys
from pathlib import Path

import pytest

from schemas.errors import MisconfiguredError
from sinks.embedded.engine import EngineError, require_engine
from sinks.embedded.process import EmbeddedClickHouse
from sinks.embedded.statements import Insert, insert_of, is_selection, without_format


@pytest.mark.parametrize(
    ("text", "insert"),
    [
        ("INSERT INTO t VALUES", Insert("t", "", "")),
        ("insert into d.t (a, `b c`) values ;", Insert("d.t", "(a, `b c`)", "")),
        ("-- why\n/* x */ INSERT INTO TABLE t(a.b) FORMAT Native", Insert("t", "(a.b)", "")),
        (
            "INSERT INTO t (a) SETTINGS async_insert = 0 VALUES",
            Insert("t", "(a)", "SETTINGS async_insert = 0"),
        ),
    ],
)
def test_insert_waiting_for_data_is_told(text: str, insert: Insert) -> None:
    assert insert_of(text) == insert


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t FORMAT CSV",
        "SELECT 'INSERT INTO t VALUES'",
        "INSERT INTO t (a) VALUES (1), (2);",
        "",
    ],
)
def test_statement_with_its_own_data_is_not_waited_for(text: str) -> None:
    assert insert_of(text) is None


@pytest.mark.parametrize(
    ("text", "plain", "selects"),
    [
        ("SELECT 1 FORMAT JSON;", "SELECT 1", True),
        ("/* a */ WITH 1 AS x SELECT x ;", "WITH 1 AS x SELECT x", True),
        ("SHOW TABLES FORMAT Pretty", "SHOW TABLES", False),
        ("CREATE TABLE format (a UInt8)", "CREATE TABLE format (a UInt8)", False),
        ("SELECT ' FORMAT x'", "SELECT ' FORMAT x'", True),
    ],
)
def test_format_is_left_to_the_client(text: str, plain: str, selects: bool) -> None:
    assert without_format(text) == plain
    assert is_selection(text) is selects


def test_engine_error_carries_the_innermost_code() -> None:
    error = EngineError.of(
        RuntimeError("Code: 469. DB::Exception: Code: 469. DB::Exception: Constraint (VIOLATED)")
    )
    assert (error.code, error.message) == (469, "Constraint (VIOLATED)")
    assert EngineError.of(RuntimeError("what")).code == 1002


def test_missing_engine_names_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "chdb", None)
    with pytest.raises(MisconfiguredError, match="pip install"):
        require_engine()
    with pytest.raises(MisconfiguredError, match="pip install"):
        EmbeddedClickHouse(tmp_path).start()
