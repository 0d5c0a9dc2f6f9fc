"""What was acknowledged survives, and what is sent twice is stored once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from schemas.errors import UnavailableError
from sinks.clickhouse import Warehouse
from sinks.embedded.process import EmbeddedClickHouse

pytestmark = pytest.mark.embedded

TABLE = """
CREATE TABLE IF NOT EXISTS decisions (position UInt64, score Float64)
ENGINE = ReplacingMergeTree ORDER BY position
SETTINGS non_replicated_deduplication_window = 10000
"""
VIEWED = """
CREATE MATERIALIZED VIEW IF NOT EXISTS copies ENGINE = MergeTree ORDER BY position
SETTINGS non_replicated_deduplication_window = 10000
AS SELECT position FROM decisions
"""


def columns(batch: int) -> dict[str, list[float]]:
    return {"position": [batch * 100 + i for i in range(100)], "score": [0.5] * 100}


def test_kill_loses_no_acknowledged_insert_and_repeats_nothing(tmp_path: Path) -> None:
    engine = EmbeddedClickHouse(tmp_path)
    engine.start()
    acknowledged = 0
    try:
        with Warehouse(engine.host, engine.port) as warehouse:
            warehouse.execute(TABLE)
            warehouse.execute(VIEWED)
            assassin = threading.Timer(0.5, engine.kill)
            assassin.start()
            try:
                while True:
                    warehouse.insert("decisions", columns(acknowledged), f"0/{acknowledged}")
                    acknowledged += 1
            except UnavailableError:
                assassin.join()
            assert acknowledged > 0
            engine.start()  # on the same port
            present = warehouse.execute("SELECT uniqExact(position) FROM decisions")[0][0]
            assert present in (acknowledged * 100, acknowledged * 100 + 100)
            for batch in range(acknowledged + 1):  # everything again, with the same tokens
                warehouse.insert("decisions", columns(batch), f"0/{batch}")
            for table in ("decisions", "copies"):
                query = f"SELECT count(), uniqExact(position) FROM {table}"
                assert warehouse.execute(query) == [((acknowledged + 1) * 100,) * 2]
    finally:
        engine.stop()


def test_token_is_honoured_in_one_process_and_after_a_clean_restart(tmp_path: Path) -> None:
    # The view's table never merges rows away, so it shows what the tokens alone kept out.
    count = "SELECT (SELECT count() FROM copies), (SELECT count() FROM decisions FINAL)"
    with EmbeddedClickHouse(tmp_path) as engine, Warehouse(engine.host, engine.port) as warehouse:
        warehouse.execute(TABLE)
        warehouse.execute(VIEWED)
        for token in ("a", "a", "b"):
            warehouse.insert("decisions", columns(0), token)
        assert warehouse.execute(count) == [(200, 100)]
    with EmbeddedClickHouse(tmp_path) as engine, Warehouse(engine.host, engine.port) as warehouse:
        for token in ("b", "a", "c"):
            warehouse.insert("decisions", columns(0), token)
        assert warehouse.execute(count) == [(300, 100)]


def test_engine_does_not_survive_its_parent(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from sinks.embedded.process import EmbeddedClickHouse\n"
        f"engine = EmbeddedClickHouse(Path({str(tmp_path)!r})); engine.start()\n"
        "print(engine.pid, flush=True); time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_sigterm_ends_with_success(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sinks.embedded.server", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().split()[1])
        with Warehouse("127.0.0.1", port) as warehouse:
            warehouse.ping()
            server.send_signal(signal.SIGTERM)
            server.communicate()
    assert server.returncode == 0
