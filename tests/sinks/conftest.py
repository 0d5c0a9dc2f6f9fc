import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    """One embedded ClickHouse for all tests that do not kill it."""
    data_dir: Path = tmp_path_factory.mktemp("clickhouse")
    with EmbeddedClickHouse(data_dir) as running:
        yield running


@pytest.fixture
def warehouse(engine: EmbeddedClickHouse, request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A connection to a database of the test's own."""
    name = f"test_{zlib.crc32(request.node.nodeid.encode()):x}"
    with Warehouse(engine.host, engine.port, name) as opened:
        opened.create_database()
        yield opened
        opened.execute(f"DROP DATABASE {name}")
